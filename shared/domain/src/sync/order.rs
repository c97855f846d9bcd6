//! The order of initial syncs: a record that refers to another one is written only when the other one is there.

use std::collections::BTreeMap;

use crate::{
    id::MapId,
    map::{Map, PerSide, SideIx},
    sync::LegChoice,
};

/// A map whose records are to be copied, and what is copied from each side.
#[derive(Clone, Copy, Debug)]
pub struct OrderedMap<'a> {
    /// The map.
    pub map: &'a Map,
    /// What is copied from each side.
    pub legs: PerSide<LegChoice>,
}

impl OrderedMap<'_> {
    /// Whether records that are copied by this map refer to records that the other map brings to the same app.
    fn refers_to(&self, other: &Map) -> bool {
        let copies = |from: SideIx| matches!(self.legs[from], LegChoice::All | LegChoice::CreateOnly);
        SideIx::BOTH.into_iter().filter(|to| copies(to.other())).any(|to| {
            let end = self.map.config.side(to);
            let mut lookups = self.map.config.fields.iter().filter_map(|field| field.lookup.get(&end.side));
            lookups.any(|lookup| lookup.entity != end.entity && brings(self.map, to, other, &lookup.entity))
        })
    }
}

/// Whether another map between the same sides brings records of the entity to the app at this end of a map.
#[must_use]
pub fn brings(map: &Map, to: SideIx, other: &Map, entity: &str) -> bool {
    let (here, there) = (&map.config.side(to).side, &map.config.side(to.other()).side);
    let end = other.config.side_ix(here).map(|ix| other.config.side(ix));
    end.is_some_and(|end| end.entity == entity) && other.config.side_ix(there).is_some()
}

/// Puts maps into an order in which each comes after those that it refers to, and else in the order in which they are given. Returns
/// the place of each, with the places of those that it refers to.
///
/// # Errors
/// Some refer to each other: these are their names, each of which refers to the next one, and the last to the first.
pub fn order_maps(maps: &[OrderedMap<'_>]) -> Result<Vec<(usize, Vec<usize>)>, Vec<MapId>> {
    let refers = |at: usize| {
        let others = maps.iter().enumerate().filter(move |(other, _)| *other != at);
        others.filter(move |(_, other)| maps[at].refers_to(other.map)).map(|(other, _)| other).collect::<Vec<_>>()
    };
    let mut open: BTreeMap<usize, Vec<usize>> = (0..maps.len()).map(|at| (at, refers(at))).collect();
    let mut ordered = Vec::with_capacity(maps.len());
    while !open.is_empty() {
        let ready = open.iter().find(|(_, refers)| refers.iter().all(|at| !open.contains_key(at))).map(|(at, _)| *at);
        match ready.and_then(|at| open.remove_entry(&at)) {
            Some(next) => ordered.push(next),
            None => return Err(find_circle(&open).into_iter().map(|at| maps[at].map.id.clone()).collect()),
        }
    }
    Ok(ordered)
}

/// Each of these refers to another one of them: whoever follows the references comes to one for the second time.
fn find_circle(open: &BTreeMap<usize, Vec<usize>>) -> Vec<usize> {
    let (mut path, mut at) = (Vec::new(), open.keys().next().copied());
    while let Some(here) = at {
        if let Some(begin) = path.iter().position(|seen| *seen == here) {
            return path.split_off(begin);
        }
        path.push(here);
        at = open.get(&here).and_then(|refers| refers.iter().find(|next| open.contains_key(next)).copied());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::MapUid, mapping::tests::customers, time::Timestamp};

    /// A map of an entity whose records refer to records of others in crm.
    fn map(name: &str, refers_to: &[&str]) -> Map {
        let mut config = customers();
        config.sides.iter_mut().for_each(|side| side.entity = name.to_owned());
        let crm = config.sides[1].side.clone();
        for (at, entity) in refers_to.iter().enumerate() {
            let lookup = serde_json::from_value(serde_json::json!({ "entity": entity })).unwrap();
            config.fields[at].lookup = [(crm.clone(), lookup)].into();
        }
        Map::new(name.parse().unwrap(), MapUid(1), config, "kim", Timestamp(5))
    }

    fn ordered(maps: &[Map], legs: PerSide<LegChoice>) -> Result<Vec<String>, Vec<MapId>> {
        let maps: Vec<_> = maps.iter().map(|map| OrderedMap { map, legs }).collect();
        let named = |at: usize| maps[at].map.id.to_string();
        let told = order_maps(&maps)?.into_iter().map(|(at, after)| {
            let after: Vec<_> = after.into_iter().map(named).collect();
            format!("{}({})", named(at), after.join(","))
        });
        Ok(told.collect())
    }

    #[test]
    fn a_map_comes_after_those_that_it_refers_to() {
        let maps = [
            map("lines", &["orders", "products"]),
            map("orders", &["customers"]),
            map("customers", &["customers", "elsewhere"]),
            map("products", &[]),
        ];
        let wanted = ["customers()", "orders(customers)", "products()", "lines(orders,products)"];
        assert_eq!(ordered(&maps, PerSide::default()).unwrap(), wanted);
        let to_crm_off = PerSide([LegChoice::Off, LegChoice::All]);
        let wanted = ["lines()", "orders()", "customers()", "products()"];
        assert_eq!(ordered(&maps, to_crm_off).unwrap(), wanted, "nothing that refers is written");
    }

    #[test]
    fn maps_that_refer_to_each_other_in_a_circle_are_named() {
        let maps = [map("first", &["second"]), map("second", &["third"]), map("third", &["second"]), map("free", &[])];
        let circle = ordered(&maps, PerSide::default()).unwrap_err();
        let names: Vec<_> = circle.iter().map(MapId::as_str).collect();
        assert_eq!(names, ["second", "third"]);
    }
}
