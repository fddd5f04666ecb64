//! What an operator selects, as conditions of a query.

use rusqlite::ToSql;

use super::rows::to_sql;
use crate::event::{EventNo, State};
use crate::inbox::{Filter, Selection};

/// Conditions on rows, and their values.
///
/// What does not matter is left out rather than made true, so that an index is used for what does. The state is written out, because
/// an index of some of the rows is only used for a condition that is known when the query is planned.
#[derive(Default)]
pub(super) struct Conditions {
    sql: String,
    values: Vec<(&'static str, Box<dyn ToSql>)>,
}

impl Conditions {
    /// The events of `filter`, from its page on.
    pub(super) fn page(filter: &Filter) -> Self {
        let mut these = Self::default();
        let select = &filter.select;
        let of_the_dead = select.reason.is_some() || select.group.is_some();
        if let Some(state) = filter.state.or(of_the_dead.then_some(State::Dead)) {
            these.sql += &format!(" AND state = '{state}'");
        }
        if filter.superseded {
            these.sql += " AND superseded = 1";
        }
        let after = if filter.newest_first { "number < :after" } else { "number > :after" };
        these.and(after, ":after", filter.after.map(|EventNo(number)| number));
        these.and("number <= :up_to", ":up_to", filter.up_to.map(|EventNo(number)| number));
        these.select(select);
        these
    }

    /// The selected dead letters.
    pub(super) fn dead(select: &Selection) -> Self {
        Self::page(&Filter::dead().selecting(select.clone()))
    }

    fn select(&mut self, select: &Selection) {
        let Selection { source, reason, group, event_type, ordering_key, received_after, received_before } =
            select.clone();
        self.and("source = :source", ":source", source);
        self.and("reason = :reason", ":reason", reason.map(|reason| reason.as_str()));
        self.and("fingerprint = :group", ":group", group.map(|group| group.as_str().to_owned()));
        self.and("event_type = :type", ":type", event_type);
        self.and("ordering_key = :key", ":key", ordering_key);
        self.and("received_at >= :received_after", ":received_after", received_after.map(to_sql));
        self.and("received_at < :received_before", ":received_before", received_before.map(to_sql));
    }

    /// Adds `condition` if there is a `value` for it.
    pub(super) fn and<T: ToSql + 'static>(&mut self, condition: &str, name: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.sql += " AND ";
            self.sql += condition;
            self.name(name, value);
        }
    }

    /// A value that the query names elsewhere.
    pub(super) fn name<T: ToSql + 'static>(&mut self, name: &'static str, value: T) {
        self.values.push((name, Box::new(value)));
    }

    /// All of them, after `WHERE`.
    pub(super) fn sql(&self) -> String {
        format!("1{}", self.sql)
    }

    pub(super) fn values(&self) -> Vec<(&'static str, &dyn ToSql)> {
        self.values.iter().map(|(name, value)| (*name, value.as_ref())).collect()
    }
}
