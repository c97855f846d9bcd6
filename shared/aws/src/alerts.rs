//! Rules, groups and incidents in DynamoDB.

use app::ports::{Alerts, CommitError, Flagged, IncidentChange, PortError};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, TransactWriteItem},
};
use domain::{
    GroupId, IncidentId, LogId, MapId, RuleId,
    log::{Activity, LogEvent},
    rule::{Address, Group, Incident, Rule, Watch},
};

use crate::{
    documents::{self, Documents, Item},
    error,
    keys::Key,
    outbox::{self, OUTBOX},
};

/// Partition of the index that holds incidents with a step to do.
const OPEN_INCIDENTS: &str = "I#open";

/// Rules, groups and incidents in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoAlerts {
    documents: Documents,
    retention_ms: u64,
}

fn logged(line: &Activity) -> LogEvent {
    LogEvent::Activity(Box::new(line.clone()))
}

fn number(n: u64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

impl DynamoAlerts {
    /// Rules, groups and incidents in this table, which keeps incidents for `retention_days` after their end.
    #[must_use]
    pub fn new(db: Client, table: &str, retention_days: u64) -> Self {
        let retention_ms = retention_days * 24 * 60 * 60 * 1_000;
        Self { documents: Documents::new(db, table), retention_ms }
    }

    fn put(&self, key: &Key, mut item: Item, expected: u64) -> Result<TransactWriteItem, PortError> {
        item.extend(key.item());
        let put = Put::builder().table_name(self.documents.table()).set_item(Some(item));
        let put = if expected == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :expected").expression_attribute_values(":expected", number(expected))
        };
        let put = put.build().map_err(|error| PortError::Permanent(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn incident_item(&self, incident: &Incident, line: Option<&Activity>) -> Result<Item, PortError> {
        let mut item = documents::item(incident, incident.version)?;
        if incident.is_open() {
            item.insert("open_pk".to_owned(), AttributeValue::S(OPEN_INCIDENTS.to_owned()));
            item.insert("open_at".to_owned(), number(incident.opened_at.0));
        } else if let Some((at, _)) = &incident.recovered {
            item.insert("ttl".to_owned(), number(at.plus_ms(self.retention_ms).0 / 1_000));
        }
        if let Some(line) = line {
            item.extend(outbox::attribute(&[logged(line)])?.map(|events| (OUTBOX.to_owned(), events)));
        }
        Ok(item)
    }
}

impl Alerts for DynamoAlerts {
    async fn rules(&self) -> Result<Vec<Rule>, PortError> {
        self.documents.readable("RULES").await
    }

    async fn rule(&self, id: &RuleId) -> Result<Option<Rule>, PortError> {
        self.documents.get(&Key::Rule(id.clone())).await
    }

    async fn save_rule(&self, rule: &Rule, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.documents.save(&Key::Rule(rule.id.clone()), rule, rule.version, expected, &[logged(line)]).await
    }

    async fn delete_rule(&self, id: &RuleId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.documents.delete_logged(&Key::Rule(id.clone()), expected, logged(line), line.id).await
    }

    async fn groups(&self) -> Result<Vec<Group>, PortError> {
        self.documents.readable("GROUPS").await
    }

    async fn save_group(&self, group: &Group, expected: u64) -> Result<(), CommitError> {
        self.documents.save(&Key::Group(group.id.clone()), group, group.version, expected, &[]).await
    }

    async fn delete_group(&self, id: &GroupId, expected: u64) -> Result<(), CommitError> {
        self.documents.delete(&Key::Group(id.clone()), expected).await
    }

    async fn watch(&self, rule: &RuleId, map: &MapId) -> Result<Option<Watch>, PortError> {
        self.documents.get(&Key::Watch(rule.clone(), map.clone())).await
    }

    async fn save_incident(&self, change: &IncidentChange) -> Result<(), CommitError> {
        let IncidentChange { incident, expected, watch, line } = change;
        let item = self.incident_item(incident, line.as_ref())?;
        let mut actions = vec![self.put(&Key::Incident(incident.id), item, *expected)?];
        if let Some((watch, expected)) = watch {
            let key = Key::Watch(watch.rule.clone(), watch.map.clone());
            actions.push(self.put(&key, documents::item(watch, watch.version)?, *expected)?);
        }
        let sent = self.documents.db().transact_write_items().set_transact_items(Some(actions)).send().await;
        sent.map(drop).map_err(|error| error::transaction(error, &[]))
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, PortError> {
        self.documents.get(&Key::Incident(id)).await
    }

    async fn open_incidents(&self) -> Result<Vec<Incident>, PortError> {
        let mut open = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .documents
                .db()
                .query()
                .table_name(self.documents.table())
                .index_name("open")
                .key_condition_expression("open_pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(OPEN_INCIDENTS.to_owned()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(error::port)?;
            for item in page.items() {
                let sk = item.get("sk").and_then(|value| value.as_s().ok());
                let id = sk.and_then(|sk| u128::from_str_radix(sk, 16).ok());
                let id = id.ok_or_else(|| PortError::Permanent("an incident in the index has no id".to_owned()))?;
                match self.incident(IncidentId(id)).await {
                    // An unreadable incident must not block notices about the others.
                    Err(error @ PortError::Permanent(_)) => drop(documents::left_out::<Incident>(Err(error))),
                    read => open.extend(read?.filter(Incident::is_open)),
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(open);
            }
        }
    }

    async fn incidents(&self, before: Option<IncidentId>, limit: usize) -> Result<Vec<Incident>, PortError> {
        let high = before.map_or(LogId(u128::MAX), |before| LogId(before.0.saturating_sub(1)));
        self.documents.newest("INCIDENTS", &format!("{:032x}", high.0), limit).await
    }

    async fn flagged(&self) -> Result<Vec<Flagged>, PortError> {
        self.documents.readable("FLAGGED").await
    }

    async fn flag(&self, flagged: &Flagged) -> Result<(), PortError> {
        let key = Key::Flagged(flagged.address.to_string());
        let mut item = documents::item(flagged, 1)?;
        item.extend(key.item());
        let put = self.documents.db().put_item().table_name(self.documents.table()).set_item(Some(item));
        put.send().await.map(drop).map_err(error::port)
    }

    async fn unflag(&self, address: &Address) -> Result<bool, PortError> {
        match self.documents.delete(&Key::Flagged(address.to_string()), 1).await {
            Ok(()) => Ok(true),
            Err(CommitError::Stale | CommitError::Duplicate) => Ok(false),
            Err(CommitError::Port(error)) => Err(error),
        }
    }
}
