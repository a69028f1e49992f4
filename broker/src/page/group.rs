//! One consumer group with its members, and how far it is in each partition.

use std::cmp::Reverse;
use std::fmt;

use daemon::pages::html::shortened;
use daemon::pages::{Cell, Column, PageError, Request, View, facts, table};
use serde::Serialize;

use super::groups::GroupRow;
use super::listing::{Listing, Part, sorting};
use super::{Look, TEXT_CHARS_MAX, name_in};
use crate::group::{GroupMember, GroupPartition};

/// A member in one line.
#[derive(Debug, Serialize)]
struct MemberRow {
    member_id: String,
    /// The name that its operator gave it, if it is a static member.
    instance_id: Option<String>,
    client_id: String,
    host: String,
    assigned_partition_count: usize,
}

/// A partition in one line.
#[derive(Debug, Serialize)]
struct PlaceRow {
    topic: String,
    partition: i32,
    committed_offset: Option<i64>,
    /// The high watermark; none if there is no such partition any more.
    end_offset: Option<i64>,
    lag_records: Option<i64>,
    /// Who has it.
    member_id: Option<String>,
}

/// The page of a group.
#[derive(Debug, Serialize)]
pub(super) struct GroupView {
    group: GroupRow,
    members: Listing<MemberRow>,
    partitions: Listing<PlaceRow>,
}

fn cut(text: &str) -> String {
    shortened(text, TEXT_CHARS_MAX).into_owned()
}

impl MemberRow {
    fn new(member: &GroupMember) -> Self {
        let host = member.client_host.strip_prefix('/').unwrap_or(&member.client_host);
        MemberRow {
            member_id: cut(&member.id),
            instance_id: member.instance_id.as_deref().map(cut),
            client_id: cut(&member.client_id),
            host: cut(host),
            assigned_partition_count: member.assigned,
        }
    }

    fn cells(&self) -> [Cell<'_>; 5] {
        [
            Cell::Text(&self.member_id),
            self.instance_id.as_deref().map_or(Cell::None, Cell::Text),
            Cell::Text(&self.client_id),
            Cell::Text(&self.host),
            Cell::count(self.assigned_partition_count),
        ]
    }
}

impl PlaceRow {
    fn new(place: GroupPartition, members: &[GroupMember]) -> Self {
        let member = place.member.and_then(|number| members.get(number));
        PlaceRow {
            lag_records: place.lag(),
            partition: place.partition,
            committed_offset: place.committed,
            end_offset: place.end,
            member_id: member.map(|member| cut(&member.id)),
            topic: place.topic,
        }
    }

    fn cells(&self, request: &Request) -> [Cell<'_>; 6] {
        [
            Cell::Link(&self.topic, request.link("topic", &[("name", &self.topic)])),
            Cell::Number(i64::from(self.partition)),
            Cell::maybe(self.committed_offset),
            Cell::maybe(self.end_offset),
            Cell::maybe(self.lag_records),
            self.member_id.as_deref().map_or(Cell::None, Cell::Text),
        ]
    }
}

impl GroupView {
    pub(super) fn new(look: Look<'_>, request: &Request) -> Result<Self, PageError> {
        let name = name_in(request)?;
        let survey = look.broker.groups.survey(name, &look.broker.logs);
        let mut survey = survey.ok_or_else(|| PageError::NotFound(format!("there is no group {name}")))?;
        let part = Part::of(request);
        if !part.by_name {
            survey.partitions.sort_by_key(|place| Reverse(place.lag()));
        }
        let (count, members) = (survey.partitions.len(), survey.members);
        let partitions = Listing::new(survey.partitions, count, &part);
        let partitions = partitions.map(|place| PlaceRow::new(place, &members));
        let count = members.len();
        let members = Listing::new(members, count, &part).map(|member| MemberRow::new(&member));
        Ok(GroupView { group: GroupRow::from(survey.summary), members, partitions })
    }
}

impl View for GroupView {
    fn title(&self) -> String {
        format!("Group {}", shortened(&self.group.name, TEXT_CHARS_MAX))
    }

    fn html(&self, request: &Request, out: &mut String) -> fmt::Result {
        let group = &self.group;
        facts(
            out,
            &[
                ("state", Cell::Text(group.state)),
                ("protocol", Cell::Text(group.protocol)),
                ("members", Cell::count(group.member_count)),
                ("partitions with an offset", Cell::count(group.committed_partition_count)),
                ("lag, records", Cell::Number(group.lag_records)),
            ],
        )?;
        out.push_str("<h2>Partitions</h2>\n");
        sorting(request, "sort by lag", out)?;
        self.partitions.count("partitions", out)?;
        let columns = [
            Column::Text("topic"),
            Column::Number("partition"),
            Column::Number("committed"),
            Column::Number("end"),
            Column::Number("lag, records"),
            Column::Text("member"),
        ];
        table(out, columns, self.partitions.items.iter().map(|place| place.cells(request)))?;
        self.partitions.pager(request, out)?;
        out.push_str("<h2>Members</h2>\n");
        self.members.count("members", out)?;
        let columns = [
            Column::Text("member"),
            Column::Text("static id"),
            Column::Text("client id"),
            Column::Text("host"),
            Column::Number("partitions"),
        ];
        table(out, columns, self.members.items.iter().map(MemberRow::cells))?;
        self.members.pager(request, out)
    }
}
