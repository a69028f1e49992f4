//! All consumer groups.

use std::cmp::Reverse;
use std::fmt;

use daemon::pages::html::shortened;
use daemon::pages::{Cell, Column, Request, View, table};
use serde::Serialize;

use super::listing::{Listing, Part, filter, sorting};
use super::{Look, NAME_CHARS_MAX};
use crate::group::GroupSummary;

/// A group in one line.
#[derive(Debug, Serialize)]
pub(super) struct GroupRow {
    pub(super) name: String,
    pub(super) state: &'static str,
    /// `classic`, or `consumer` for the newer one.
    pub(super) protocol: &'static str,
    pub(super) member_count: usize,
    /// Partitions with a committed offset.
    pub(super) committed_partition_count: usize,
    /// Records between the committed offsets and the ends of their partitions.
    pub(super) lag_records: i64,
}

impl From<GroupSummary> for GroupRow {
    fn from(group: GroupSummary) -> Self {
        GroupRow {
            name: shortened(&group.id, NAME_CHARS_MAX).into_owned(),
            state: group.state,
            protocol: group.protocol,
            member_count: group.members,
            committed_partition_count: group.partitions,
            lag_records: group.lag,
        }
    }
}

/// A part of the groups, those furthest behind first.
pub(super) fn list(look: Look<'_>, part: &Part<'_>) -> Listing<GroupRow> {
    let (total, mut groups) = look.broker.groups.summaries(&look.broker.logs, |name| part.wants(name));
    if !part.by_name {
        // groups come by name, and stay so where they are behind as far
        groups.sort_by_key(|group| Reverse(group.lag));
    }
    Listing::new(groups, total, part).map(GroupRow::from)
}

/// Writes groups as a table.
pub(super) fn rows(groups: &[GroupRow], request: &Request, out: &mut String) -> fmt::Result {
    let columns = [
        Column::Text("group"),
        Column::Text("state"),
        Column::Text("protocol"),
        Column::Number("members"),
        Column::Number("partitions with an offset"),
        Column::Number("lag, records"),
    ];
    table(out, columns, groups.iter().map(|group| cells(group, request)))
}

fn cells<'a>(group: &'a GroupRow, request: &Request) -> [Cell<'a>; 6] {
    [
        Cell::Link(&group.name, request.link("group", &[("name", &group.name)])),
        Cell::Text(group.state),
        Cell::Text(group.protocol),
        Cell::count(group.member_count),
        Cell::count(group.committed_partition_count),
        Cell::Number(group.lag_records),
    ]
}

/// The page of all groups.
#[derive(Debug, Serialize)]
pub(super) struct Groups {
    groups: Listing<GroupRow>,
}

impl Groups {
    pub(super) fn new(look: Look<'_>, request: &Request) -> Self {
        Groups { groups: list(look, &Part::of(request)) }
    }
}

impl View for Groups {
    fn title(&self) -> String {
        "Consumer groups".to_owned()
    }

    fn html(&self, request: &Request, out: &mut String) -> fmt::Result {
        filter(request, &request.link("groups", &[]), out)?;
        sorting(request, "sort by lag", out)?;
        self.groups.count("groups", out)?;
        rows(&self.groups.items, request, out)?;
        self.groups.pager(request, out)
    }
}
