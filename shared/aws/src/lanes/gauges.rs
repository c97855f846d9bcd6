//! Gauges that operators see.

use app::ports::{CatchUp, Gauges, LaneKey, OpenLane, PortError, Resent, Sample};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    ErrorClass, Map, Owner, SideId, Timestamp,
    limits::ARCHIVE_TTL_MS,
    side::{Health, Reports, Trouble},
};

use super::{
    DynamoLanes,
    items::{Item, number, read_number},
};
use crate::{error, keys::Key};

/// Before the name of an entity: the attribute of a side's health that says when a record of it was taken last.
const TAKEN: &str = "taken#";

impl Gauges for DynamoLanes {
    async fn count_catch_up(&self, map: &Map, more: &CatchUp, now: Timestamp) -> Result<(), PortError> {
        let count = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::CatchUp(map.uid, more.epoch).item()))
            .update_expression(
                "SET epoch = :epoch, began = if_not_exists(began, :began), latest = :now, #ttl = :ttl \
                 ADD done :done, archived :archived, parked :parked, failed :failed",
            )
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":epoch", number(more.epoch))
            .expression_attribute_values(":began", number(more.began.0))
            .expression_attribute_values(":now", number(now.0))
            .expression_attribute_values(":ttl", number(now.plus_ms(ARCHIVE_TTL_MS).0 / 1_000))
            .expression_attribute_values(":done", number(more.done))
            .expression_attribute_values(":archived", number(more.archived))
            .expression_attribute_values(":parked", number(more.parked))
            .expression_attribute_values(":failed", number(more.failed));
        count.send().await.map(|_| ()).map_err(error::port)
    }

    async fn catch_up(&self, map: &Map) -> Result<Option<CatchUp>, PortError> {
        let (first, last) = (Key::CatchUp(map.uid, 0), Key::CatchUp(map.uid, u64::MAX));
        let query = self.query_range(&first, &last).scan_index_forward(false).limit(1);
        let page = query.send().await.map_err(error::port)?;
        page.items().first().map(read_catch_up).transpose()
    }

    async fn acquire_drain(&self, map: &Map, run: Owner, now: Timestamp, until: Timestamp) -> Result<bool, PortError> {
        let hold = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::Drain(map.uid).item()))
            .update_expression("SET held_by = :run, epoch = :epoch, held_until = :until")
            .condition_expression("attribute_not_exists(pk) OR held_by = :run OR epoch < :epoch OR held_until <= :now")
            .expression_attribute_values(":run", AttributeValue::S(named(run)))
            .expression_attribute_values(":epoch", number(map.epoch))
            .expression_attribute_values(":now", number(now.0))
            .expression_attribute_values(":until", number(until.0));
        error::unless_condition(hold.send().await)
    }

    async fn drain_holder(&self, map: &Map, now: Timestamp) -> Result<Option<Owner>, PortError> {
        let Some(item) = self.get(&Key::Drain(map.uid)).await? else { return Ok(None) };
        let alive = read_number(&item, "epoch")? >= map.epoch && read_number(&item, "held_until")? > now.0;
        let by = item.get("held_by").and_then(|by| u128::from_str_radix(by.as_s().ok()?, 16).ok());
        Ok(by.filter(|_| alive).map(Owner))
    }

    async fn release_drain(&self, map: &Map, run: Owner) -> Result<(), PortError> {
        let let_go = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::Drain(map.uid).item()))
            .update_expression("SET held_until = :never")
            .condition_expression("held_by = :run")
            .expression_attribute_values(":run", AttributeValue::S(named(run)))
            .expression_attribute_values(":never", number(0));
        error::unless_condition(let_go.send().await).map(drop)
    }

    async fn note_depth(&self, map: &Map, sample: Sample) -> Result<(), PortError> {
        let note = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::Depth(map.uid).item()))
            .update_expression(
                "SET before_at = if_not_exists(sampled_at, :at), before_depth = if_not_exists(waiting, :depth), \
                 sampled_at = :at, waiting = :depth",
            )
            .expression_attribute_values(":at", number(sample.at.0))
            .expression_attribute_values(":depth", number(sample.depth));
        note.send().await.map(|_| ()).map_err(error::port)
    }

    async fn depths(&self, map: &Map) -> Result<Vec<Sample>, PortError> {
        let Some(item) = self.get(&Key::Depth(map.uid)).await? else { return Ok(Vec::new()) };
        let sample = |at: &str, depth: &str| -> Result<Sample, PortError> {
            Ok(Sample { at: Timestamp(read_number(&item, at)?), depth: read_number(&item, depth)? })
        };
        let (newest, before) = (sample("sampled_at", "waiting")?, sample("before_at", "before_depth")?);
        Ok(if newest == before { vec![newest] } else { vec![newest, before] })
    }

    async fn note_health(&self, side: &SideId, health: &Health) -> Result<(), PortError> {
        let update = self.db.update_item().table_name(&self.table).set_key(Some(Key::Health(side.clone()).item()));
        let taken_now = health.taken.iter().find(|(_, at)| Some(**at) == health.answered_at);
        let update = match (&health.trouble, health.answered_at) {
            (Some(trouble), _) => update
                .update_expression("SET troubled_at = :since, trouble_class = :class, trouble_calls = :calls")
                .condition_expression("attribute_not_exists(troubled_at) OR troubled_at <= answered_at")
                .expression_attribute_values(":since", number(trouble.since.0))
                .expression_attribute_values(":class", AttributeValue::S(trouble.class.to_string()))
                .expression_attribute_values(":calls", number(trouble.calls.into())),
            (None, Some(answered)) => {
                let update = match taken_now {
                    Some((entity, _)) => update
                        .update_expression(
                            "SET answered_at = :answered, #taken = :answered, \
                             unreported_from = if_not_exists(unreported_from, :answered) ADD unreported :one",
                        )
                        .expression_attribute_names("#taken", taken_name(entity))
                        .expression_attribute_values(":one", number(1)),
                    None => update.update_expression("SET answered_at = :answered"),
                };
                update
                    .condition_expression("attribute_not_exists(answered_at) OR answered_at < :answered")
                    .expression_attribute_values(":answered", number(answered.0))
            }
            (None, None) => match (health.reports.echoed_at, health.reports.changed_at) {
                (Some(at), _) => update
                    .update_expression("SET echoed_at = :at, unreported = :none REMOVE unreported_from")
                    .expression_attribute_values(":at", number(at.0))
                    .expression_attribute_values(":none", number(0)),
                (None, Some(at)) => {
                    update.update_expression("SET changed_at = :at").expression_attribute_values(":at", number(at.0))
                }
                (None, None) => return Ok(()),
            },
        };
        let stored = error::unless_condition(update.send().await)?;
        // Another process has noted a later answer, which may be a refusal, or the taking of another entity.
        for (entity, at) in health.taken.iter().filter(|_| health.trouble.is_none()) {
            if !stored || taken_now.is_none_or(|(now, _)| now != entity) {
                self.note_taken(side, entity, *at).await?;
            }
        }
        Ok(())
    }

    async fn noted_health(&self, side: &SideId) -> Result<Health, PortError> {
        let Some(item) = self.get(&Key::Health(side.clone())).await? else { return Ok(Health::default()) };
        // 0: it was never noted.
        let time = |name| item.get(name).map_or(Ok(0), |_| read_number(&item, name)).map(Timestamp);
        let known = |at: Timestamp| (at.0 > 0).then_some(at);
        let class = item.get("trouble_class").and_then(|class| class.as_s().ok());
        let class = class.and_then(|class| ErrorClass::ALL.into_iter().find(|known| known.as_str() == class));
        let trouble = match class {
            Some(class) => {
                let calls = u32::try_from(read_number(&item, "trouble_calls")?).unwrap_or(u32::MAX);
                Some(Trouble { since: time("troubled_at")?, class, calls })
            }
            None => None,
        };
        let taken = item.keys().filter_map(|name| Some((name, name.strip_prefix(TAKEN)?)));
        let taken =
            taken.map(|(name, entity)| Ok((entity.to_owned(), time(name)?))).collect::<Result<_, PortError>>()?;
        let reports = Reports {
            echoed_at: known(time("echoed_at")?),
            changed_at: known(time("changed_at")?),
            unreported: u32::try_from(time("unreported")?.0).unwrap_or(u32::MAX),
            unreported_from: known(time("unreported_from")?),
        };
        Ok(Health { taken, answered_at: known(time("answered_at")?), trouble, reports })
    }

    async fn resent(&self, map: &Map) -> Result<Resent, PortError> {
        let Some(item) = self.get(&Key::Resent(map.uid)).await? else { return Ok(Resent::default()) };
        let round = item.contains_key("round_began").then(|| read_round(&item, map)).transpose()?;
        Ok(Resent { at: Timestamp(read_number(&item, "resent_at")?), round })
    }

    async fn note_resent(&self, map: &Map, resent: &Resent) -> Result<(), PortError> {
        let mut item = Key::Resent(map.uid).item();
        item.insert("resent_at".to_owned(), number(resent.at.0));
        if let Some((began, last)) = &resent.round {
            item.insert("round_began".to_owned(), number(began.0));
            item.insert("round_at".to_owned(), number(last.at.0));
            item.insert("round_key".to_owned(), AttributeValue::S(last.lane.key.to_string()));
        }
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(error::port)
    }
}

impl DynamoLanes {
    async fn note_taken(&self, side: &SideId, entity: &str, at: Timestamp) -> Result<(), PortError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::Health(side.clone()).item()))
            .update_expression("SET #taken = :at")
            .condition_expression("attribute_not_exists(#taken) OR #taken < :at")
            .expression_attribute_names("#taken", taken_name(entity))
            .expression_attribute_values(":at", number(at.0));
        error::unless_condition(update.send().await).map(drop)
    }
}

fn taken_name(entity: &str) -> String {
    format!("{TAKEN}{entity}")
}

/// Reads the position of an unfinished round of pointers.
fn read_round(item: &Item, map: &Map) -> Result<(Timestamp, OpenLane), PortError> {
    let key = item.get("round_key").and_then(|key| key.as_s().ok()?.parse().ok());
    let key = key.ok_or_else(|| PortError::Permanent("the place in a round of pointers is not readable".to_owned()))?;
    let last = OpenLane { at: Timestamp(read_number(item, "round_at")?), lane: LaneKey { map: map.id.clone(), key } };
    Ok((Timestamp(read_number(item, "round_began")?), last))
}

fn named(run: Owner) -> String {
    format!("{:032x}", run.0)
}

fn read_catch_up(item: &Item) -> Result<CatchUp, PortError> {
    Ok(CatchUp {
        epoch: read_number(item, "epoch")?,
        began: Timestamp(read_number(item, "began")?),
        last: Timestamp(read_number(item, "latest")?),
        done: read_number(item, "done")?,
        archived: read_number(item, "archived")?,
        parked: read_number(item, "parked")?,
        failed: read_number(item, "failed")?,
    })
}
