//! Groups of recipients.

use std::collections::BTreeSet;

use domain::{
    GroupId,
    rule::{Address, Group, MAX_RECIPIENTS},
};

use crate::{
    admin::{AdminPorts, Caller, Precondition, SaveResult, lost},
    error::{AppError, ResourceKind, StateConflict},
    ports::Alerts,
};

/// Creates a group of recipients or changes it.
///
/// # Errors
/// It has no members or too many, alone or together with others that a rule names, the caller is not up to date, or the store does not answer.
pub async fn put_group<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: GroupId,
    members: BTreeSet<Address>,
    expects: Precondition,
) -> Result<(Group, SaveResult), AppError> {
    let mistakes = Group::mistakes(&members);
    if !mistakes.is_empty() {
        return Err(AppError::Invalid(mistakes));
    }
    let stored = ports.alerts().groups().await?.into_iter().find(|group| group.id == id);
    if let Some(same) = stored.as_ref().filter(|group| group.members == members && expects != Precondition::Nothing) {
        return Ok((same.clone(), SaveResult::Unchanged));
    }
    let expected = expects.check(stored.map(|group| group.version))?;
    grows_too_far(ports, &id, &members).await?;
    let group = Group { id, members, version: expected + 1, actor: caller.name.clone(), changed_at: ports.now() };
    ports.alerts().save_group(&group, expected).await.map_err(lost)?;
    Ok((group, if expected == 0 { SaveResult::Created } else { SaveResult::Updated }))
}

/// Checks that no rule that names this group would have to tell too many people.
async fn grows_too_far<P: AdminPorts>(ports: &P, id: &GroupId, members: &BTreeSet<Address>) -> Result<(), AppError> {
    let (rules, groups) = (ports.alerts().rules().await?, ports.alerts().groups().await?);
    for rule in rules.iter().filter(|rule| rule.config.groups.contains(id)) {
        let others = groups.iter().filter(|group| group.id != *id && rule.config.groups.contains(&group.id));
        let others = others.flat_map(|group| &group.members);
        let all: BTreeSet<_> = rule.config.recipients.iter().chain(others).chain(members).collect();
        if all.len() > MAX_RECIPIENTS {
            let says = format!(
                "make {} recipients with those of rule {}; at most {MAX_RECIPIENTS} may be told",
                all.len(),
                rule.id
            );
            return Err(AppError::mistake("members", &says));
        }
    }
    Ok(())
}

/// Deletes a group that no rule names.
///
/// # Errors
/// There is none, rules name it, the caller is not up to date, or the store does not answer.
pub async fn delete_group<P: AdminPorts>(ports: &P, id: &GroupId, expects: Precondition) -> Result<(), AppError> {
    let stored = ports.alerts().groups().await?.into_iter().find(|group| group.id == *id);
    let version = expects.check_deletion(stored.ok_or(AppError::NotFound(ResourceKind::Group))?.version)?;
    let rules = ports.alerts().rules().await?;
    let users: Vec<_> = rules.into_iter().filter(|rule| rule.config.groups.contains(id)).map(|rule| rule.id).collect();
    if !users.is_empty() {
        return Err(AppError::Conflict(StateConflict::GroupInUse(users)));
    }
    ports.alerts().delete_group(id, version).await.map_err(lost)
}
