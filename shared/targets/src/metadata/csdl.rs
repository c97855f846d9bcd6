//! Parses the `OData` schema language (CSDL XML): entity sets, and the key, the properties and the base of their types.

mod annotations;

use std::collections::BTreeMap;

use app::ports::{Description, EntityDescription, FieldFacets};
use xmlparser::{ElementEnd, Token, Tokenizer};

use self::annotations::Annotations;
use crate::limits::MAX_BASE_TYPES;

/// An entity type without what it inherits. All texts are parts of the document.
#[derive(Default)]
struct Type<'a> {
    base: Option<&'a str>,
    key: Vec<&'a str>,
    fields: Vec<(&'a str, &'a str)>,
    facets: BTreeMap<&'a str, FieldFacets>,
    references: Vec<&'a str>,
    is_open: bool,
}

/// The parts of the document that Tandem needs.
#[derive(Default)]
struct Schema<'a> {
    /// By qualified name.
    types: BTreeMap<String, Type<'a>>,
    /// Names of entity sets, each with the name of its type.
    sets: Vec<(&'a str, &'a str)>,
    /// Namespaces by their short names.
    aliases: BTreeMap<&'a str, &'a str>,
}

/// An element whose start tag is being read.
#[derive(Default)]
struct Element<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Element<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Describes these entity sets from a document.
///
/// # Errors
/// The document is not XML, or has no entity set. The text says where, and repeats nothing of the document.
pub(crate) fn describe(document: &str, entities: &[String]) -> Result<Description, String> {
    let schema = read(document)?;
    if schema.sets.is_empty() {
        return Err("it names no entity set".to_owned());
    }
    let asked = schema.sets.iter().filter(|(name, _)| entities.iter().any(|entity| entity == name));
    let entities = asked.map(|(name, of_type)| ((*name).to_owned(), schema.entity(of_type))).collect();
    Ok(Description { names: schema.sets.iter().map(|(name, _)| (*name).to_owned()).collect(), entities })
}

fn read(document: &str) -> Result<Schema<'_>, String> {
    let mut schema = Schema::default();
    let (mut element, mut annotations) = (Element::default(), Annotations::default());
    let mut namespace = "";
    let mut inside = None;
    let mut depth = 0_usize;
    for token in Tokenizer::from(document) {
        match token.map_err(|error| format!("it is not XML at {}", error.pos()))? {
            Token::ElementStart { local, .. } => element = Element { name: local.as_str(), ..Element::default() },
            Token::Attribute { local, value, .. } => element.attributes.push((local.as_str(), value.as_str())),
            Token::Text { text } => annotations.read_text(text.as_str()),
            Token::ElementEnd { end: ElementEnd::Close(_, local), .. } => {
                annotations.close(local.as_str());
                depth = depth.saturating_sub(1);
                inside = inside.filter(|_| !is_type(local.as_str()));
            }
            Token::ElementEnd { end: end @ (ElementEnd::Open | ElementEnd::Empty), .. } => {
                depth += usize::from(end == ElementEnd::Open);
                annotations.open(&element, inside.as_deref(), end == ElementEnd::Open);
                if element.name == "Schema" {
                    namespace = element.get("Namespace").unwrap_or_default();
                    schema.aliases.extend(element.get("Alias").map(|alias| (alias, namespace)));
                } else if is_type(element.name) {
                    let name = format!("{namespace}.{}", element.get("Name").unwrap_or_default());
                    inside = (end == ElementEnd::Open).then(|| name.clone());
                    let (base, is_open) = (element.get("BaseType"), element.get("OpenType") == Some("true"));
                    schema.types.insert(name, Type { base, is_open, ..Type::default() });
                } else {
                    schema.take(&element, inside.as_deref());
                }
            }
            _ => {}
        }
    }
    for (of_type, property) in annotations.read_only {
        schema.forbid_writes(&of_type, property);
    }
    if depth == 0 { Ok(schema) } else { Err("it is cut off".to_owned()) }
}

/// Whether an element is a type. Complex types count, because their properties must not count as those of the entity
/// type before them.
fn is_type(element: &str) -> bool {
    matches!(element, "EntityType" | "ComplexType")
}

impl<'a> Schema<'a> {
    /// Stores an element that is an entity set, or a part of the type around it.
    fn take(&mut self, element: &Element<'a>, inside: Option<&str>) {
        let name = element.get("Name").unwrap_or_default();
        if element.name == "EntitySet" {
            self.sets.push((name, element.get("EntityType").unwrap_or_default()));
        }
        let Some(of) = inside.and_then(|inside| self.types.get_mut(inside)) else { return };
        match element.name {
            "PropertyRef" => of.key.push(name),
            "Property" => {
                of.fields.push((name, element.get("Type").unwrap_or_default()));
                let facets = FieldFacets {
                    is_required: element.get("Nullable") == Some("false") && element.get("DefaultValue").is_none(),
                    max_length: element.get("MaxLength").and_then(|length| length.parse().ok()),
                    is_read_only: false,
                };
                of.facets.insert(name, facets);
            }
            "NavigationProperty" => of.references.push(name),
            _ => {}
        }
    }

    /// Stores that nobody may write a property of a type. The type may be named by its alias.
    fn forbid_writes(&mut self, of_type: &str, property: &'a str) {
        let aliased = of_type
            .rsplit_once('.')
            .and_then(|(namespace, local)| self.aliases.get(namespace).map(|namespace| format!("{namespace}.{local}")));
        let name = if self.types.contains_key(of_type) { Some(of_type.to_owned()) } else { aliased };
        if let Some(of) = name.and_then(|name| self.types.get_mut(&name)) {
            of.facets.entry(property).or_default().is_read_only = true;
        }
    }

    fn type_named(&self, name: &str) -> Option<&Type<'a>> {
        self.types.get(name).or_else(|| {
            let (namespace, local) = name.rsplit_once('.')?;
            self.types.get(&format!("{}.{local}", self.aliases.get(namespace)?))
        })
    }

    /// The description of a type, with all that it inherits.
    fn entity(&self, name: &str) -> EntityDescription {
        let mut whole = EntityDescription::default();
        let mut next = self.type_named(name);
        for _ in 0..MAX_BASE_TYPES {
            let Some(one) = next else { break };
            if whole.key.is_empty() {
                whole.key = one.key.iter().map(|name| (*name).to_owned()).collect();
            }
            whole.fields.extend(one.fields.iter().map(|(name, of_type)| ((*name).to_owned(), (*of_type).to_owned())));
            let facets = one.facets.iter().filter(|(_, facets)| **facets != FieldFacets::default());
            whole.facets.extend(facets.map(|(name, facets)| ((*name).to_owned(), *facets)));
            whole.references.extend(one.references.iter().map(|name| (*name).to_owned()));
            whole.is_open |= one.is_open;
            next = one.base.and_then(|base| self.type_named(base));
        }
        whole
    }
}

#[cfg(test)]
mod tests;
