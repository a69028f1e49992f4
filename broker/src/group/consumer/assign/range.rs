//! Of each topic every subscriber gets a range of partitions, ranges differ by one partition at most. Topics with the same
//! number of partitions and the same subscribers are cut at the same places, so that who joins two topics by key finds both
//! sides. Static members come first, by the name that their operator gave them: they get the same range after a restart.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Subscriber;
use crate::group::consumer::partitions::Partitions;

pub(super) fn assign(members: &[Subscriber<'_>], topics: &BTreeMap<Uuid, i32>) -> Vec<Partitions> {
    let mut order: Vec<(usize, &Subscriber<'_>)> = members.iter().enumerate().collect();
    order.sort_by_key(|(_, member)| (member.instance_id.is_none(), member.instance_id, member.id));
    let mut shares = vec![Partitions::new(); members.len()];
    for (topic, partitions) in topics {
        let readers: Vec<usize> =
            order.iter().filter(|(_, member)| member.topics.contains(topic)).map(|(at, _)| *at).collect();
        let Some(count) = i32::try_from(readers.len()).ok().filter(|count| *count > 0) else { continue };
        let (each, more) = (partitions / count, partitions % count);
        let mut start = 0;
        for (place, reader) in (0..).zip(readers) {
            let end = start + each + i32::from(place < more);
            if let Some(share) = shares.get_mut(reader).filter(|_| start < end) {
                share.insert(*topic, (start..end).collect());
            }
            start = end;
        }
    }
    shares
}
