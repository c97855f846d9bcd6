//! Figures for people.

use app::ports::{CatchUp, Gauges, PortError, Sample};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Map, Timestamp, limits::ARCHIVE_TTL_MS};

use super::{
    DynamoLanes,
    items::{Item, number, read_number},
};
use crate::{error, keys::Key};

impl Gauges for DynamoLanes {
    async fn count_catch_up(&self, map: &Map, more: &CatchUp, now: Timestamp) -> Result<(), PortError> {
        let count = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::CatchUp(map.uid, more.epoch).item()))
            .update_expression(
                "SET epoch = :epoch, began = if_not_exists(began, :now), latest = :now, #ttl = :ttl \
                 ADD done :done, archived :archived, parked :parked, failed :failed",
            )
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":epoch", number(more.epoch))
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
        let page = self
            .db
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", AttributeValue::S(first.pk()))
            .expression_attribute_values(":first", AttributeValue::S(first.sk()))
            .expression_attribute_values(":last", AttributeValue::S(last.sk()))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1);
        let page = page.send().await.map_err(error::port)?;
        page.items().first().map(read_catch_up).transpose()
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

    async fn resent(&self, map: &Map) -> Result<Timestamp, PortError> {
        match self.get(&Key::Resent(map.uid)).await? {
            Some(item) => Ok(Timestamp(read_number(&item, "resent_at")?)),
            None => Ok(Timestamp(0)),
        }
    }

    async fn note_resent(&self, map: &Map, at: Timestamp) -> Result<(), PortError> {
        let mut item = Key::Resent(map.uid).item();
        item.insert("resent_at".to_owned(), number(at.0));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(error::port)
    }
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
