//! What members subscribe to: names of topics, and regular expressions that a topic's whole name has to match.
//!
//! Nothing that follows from an expression is kept: it is compiled when a subscription, the topics or the target assignment
//! change, each expression of a group once, and forgotten after. Its length, its compiled size and with it the time of a
//! match are bounded, and matching takes no longer than linear time, as in Kafka, whose expressions are RE2's. They are
//! ASCII here, as the names of topics are.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use regex::bytes::{Regex, RegexBuilder};
use tracing::warn;
use uuid::Uuid;
use wire::ErrorCode;

use super::member::Profile;
use super::topics::{TopicSizes, Topics};
use crate::error::Failure;

/// The longest expression.
const EXPRESSION_BYTES_MAX: usize = 4 << 10;
/// The most memory of a compiled expression: a short one can be a large one.
const COMPILED_BYTES_MAX: usize = 256 << 10;

/// What some members subscribe to.
#[derive(Debug, Default)]
pub(in crate::group) struct Subscriptions<'a> {
    names: BTreeSet<&'a str>,
    expressions: BTreeMap<&'a str, Regex>,
}

impl<'a> Subscriptions<'a> {
    /// Those of members, of which each has been accepted. An expression that is none after all matches nothing: Kafka may
    /// have written it.
    pub(in crate::group) fn of(profiles: impl Iterator<Item = &'a Profile>) -> Self {
        let mut subscriptions = Self::default();
        let mut ignored = None;
        for profile in profiles {
            ignored = subscriptions.add(profile).err().or(ignored);
        }
        if let Some(failure) = ignored {
            warn!(error = %failure.message, "the regular expression of a member is ignored");
        }
        subscriptions
    }

    /// Adds those of a member. An expression that is none is an error, the names are added even so.
    pub(in crate::group) fn add(&mut self, profile: &'a Profile) -> Result<(), Failure> {
        self.names.extend(profile.topics.iter().map(String::as_str));
        let Some(expression) = profile.expression.as_deref() else { return Ok(()) };
        if let Entry::Vacant(place) = self.expressions.entry(expression) {
            place.insert(compile(expression)?);
        }
        Ok(())
    }

    /// Whether someone subscribes to a topic.
    pub(in crate::group) fn contains(&self, topic: &str) -> bool {
        self.names.contains(topic)
            || self.expressions.values().any(|expression| expression.is_match(topic.as_bytes()))
    }

    /// The topics that there are of these.
    pub(in crate::group) fn sizes(&self, topics: &dyn Topics) -> TopicSizes {
        if !self.expressions.is_empty() {
            return topics.matching(&|name| self.contains(name));
        }
        let size = |name: &&str| Some(((*name).to_owned(), topics.size(name)?));
        self.names.iter().filter_map(size).collect()
    }

    /// The ids of those of `topics` that each expression matches.
    pub(in crate::group) fn matched(&self, topics: &TopicSizes) -> BTreeMap<&'a str, BTreeSet<Uuid>> {
        let ids = |expression: &Regex| -> BTreeSet<Uuid> {
            let matching = topics.iter().filter(|(name, _)| expression.is_match(name.as_bytes()));
            matching.map(|(_, size)| size.id).collect()
        };
        self.expressions.iter().map(|(text, expression)| (*text, ids(expression))).collect()
    }
}

fn compile(expression: &str) -> Result<Regex, Failure> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        let message = format!("SubscribedTopicRegex is longer than {EXPRESSION_BYTES_MAX} bytes.");
        return Err(Failure::new(ErrorCode::InvalidRegularExpression, message));
    }
    let build = |text: &str| RegexBuilder::new(text).unicode(false).size_limit(COMPILED_BYTES_MAX).build();
    // alone it must be one too: `a)|(b` would become one
    let whole = build(expression).and_then(|_| build(&format!(r"\A(?:{expression})\z")));
    whole.map_err(|error| {
        let error = error.to_string();
        // the lines before show where in the expression
        let reason = error.lines().last().unwrap_or_default();
        let reason = reason.trim_start_matches("error: ").trim_end_matches('.');
        let message =
            format!("SubscribedTopicRegex `{expression}` is not a valid regular expression: {reason}.");
        Failure::new(ErrorCode::InvalidRegularExpression, message)
    })
}
