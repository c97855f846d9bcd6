//! Annotations that say that nobody may write a property. They are inside the property, or in an `Annotations` element
//! that names it.

use super::Element;

/// Collects the annotations of properties while the document is parsed.
#[derive(Default)]
pub(super) struct Annotations<'a> {
    /// The type and the property that the next annotation is about.
    about: Option<(String, &'a str)>,
    /// Whether the parser is inside an annotation of permissions.
    tells_permissions: bool,
    in_member: bool,
    /// The properties that nobody may write, each with its type as the document names it.
    pub(super) read_only: Vec<(String, &'a str)>,
}

impl<'a> Annotations<'a> {
    /// Handles the start of an element. `inside` is the type around it.
    pub(super) fn open(&mut self, element: &Element<'a>, inside: Option<&str>, is_open: bool) {
        match element.name {
            "Property" if is_open => {
                self.about = inside.zip(element.get("Name")).map(|(inside, name)| (inside.to_owned(), name));
            }
            "Annotations" if is_open => {
                let target = element.get("Target").and_then(|target| target.split_once('/'));
                self.about = target.map(|(of_type, property)| (of_type.to_owned(), property));
            }
            "Annotation" => {
                let term = element.get("Term").unwrap_or_default();
                let is_computed = term.ends_with("Core.V1.Computed") && element.get("Bool") != Some("false");
                let tells_permissions = term.ends_with("Core.V1.Permissions");
                self.tells_permissions = is_open && tells_permissions;
                if is_computed || tells_permissions && element.get("EnumMember").is_some_and(allows_reading_only) {
                    self.note();
                }
            }
            "EnumMember" => self.in_member = is_open,
            _ => {}
        }
    }

    /// Handles the text between two elements.
    pub(super) fn read_text(&mut self, text: &str) {
        if self.in_member && self.tells_permissions && allows_reading_only(text) {
            self.note();
        }
    }

    /// Handles the end of an element.
    pub(super) fn close(&mut self, name: &str) {
        match name {
            "Property" | "Annotations" => self.about = None,
            "Annotation" => self.tells_permissions = false,
            "EnumMember" => self.in_member = false,
            _ => {}
        }
    }

    fn note(&mut self) {
        self.read_only.extend(self.about.clone());
    }
}

/// Whether the permissions are `Org.OData.Core.V1.Permission/Read` and no other one.
fn allows_reading_only(members: &str) -> bool {
    let members = members.trim();
    !members.contains([' ', ',']) && members.ends_with("/Read")
}
