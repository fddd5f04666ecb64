//! What the name of an event's type says: `lead.stage_changed`, `LEAD_DELETED`, `note.created`, `form.submitted`, `invoice.paid`.

/// What an event is about, and what happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Created,
    Updated,
    Deleted,
    Restored,
    Scored,
    Merged,
    StageChanged,
    Assigned,
    /// `won`, `lost`, `converted` or `open`.
    Outcome(&'static str),
    /// Something else happened to a lead. Platforms think of new types before we do.
    Unknown,
    /// A note was written or changed, or is gone.
    Note {
        gone: bool,
    },
    /// A form, a survey.
    Form,
    /// It is about something else, which may belong to a lead.
    Elsewhere,
}

impl Topic {
    /// Whether an event of this kind makes no sense without a lead.
    pub(super) const fn needs_a_lead(self) -> bool {
        !matches!(self, Self::Unknown | Self::Note { .. } | Self::Form | Self::Elsewhere)
    }

    /// Whether an id beside the event's data is the lead's, and not that of a note.
    pub(super) const fn is_about_a_lead(self) -> bool {
        !matches!(self, Self::Note { .. } | Self::Form | Self::Elsewhere)
    }

    /// The topic of a type. Lead platforms differ in case and in punctuation.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let words: Vec<_> =
            name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let about: Vec<_> = words.iter().copied().filter(|word| !matches!(*word, "lead" | "leads")).collect();
        let of_a_lead = about.len() < words.len();
        match about.as_slice() {
            ["note" | "notes", .., verb] => {
                Self::Note { gone: matches!(*verb, "deleted" | "delete" | "removed") }
            }
            [.., "submitted"] => Self::Form,
            // `created` alone is said of leads: it is their platform. Other single words (`ping`) are not.
            [_] | [] if of_a_lead => Self::of_words(&about).unwrap_or(Self::Unknown),
            [_] => Self::of_words(&about).unwrap_or(Self::Elsewhere),
            _ if of_a_lead => Self::of_words(&about).unwrap_or(Self::Unknown),
            _ => Self::Elsewhere,
        }
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        Some(match words {
            ["created" | "create" | "new" | "added" | "captured"] => Self::Created,
            ["deleted" | "delete" | "removed" | "erased"] => Self::Deleted,
            ["restored" | "restore" | "undeleted"] => Self::Restored,
            ["scored" | "rescored"] | ["score", "changed" | "updated"] => Self::Scored,
            ["merged" | "merge"] => Self::Merged,
            ["stage", "changed" | "updated"] | ["moved"] => Self::StageChanged,
            ["assigned" | "reassigned"] | ["owner", "changed"] => Self::Assigned,
            ["won"] => Self::Outcome("won"),
            ["lost"] => Self::Outcome("lost"),
            ["converted"] => Self::Outcome("converted"),
            ["reopened"] => Self::Outcome("open"),
            // `lead.task_updated` may be about a task; `lead.status_updated` is about the lead.
            [] | ["updated" | "update" | "changed"] | ["status", "updated" | "changed"] => Self::Updated,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_however_they_are_written() {
        let cases = [
            ("lead.created", Topic::Created),
            ("LEAD_DELETED", Topic::Deleted),
            ("deleted", Topic::Deleted),
            ("lead.restored", Topic::Restored),
            ("lead", Topic::Updated),
            ("lead.status_updated", Topic::Updated),
            ("lead.stage_changed", Topic::StageChanged),
            ("lead.assigned", Topic::Assigned),
            ("lead.scored", Topic::Scored),
            ("lead.merged", Topic::Merged),
            ("lead.converted", Topic::Outcome("converted")),
            ("lead_won", Topic::Outcome("won")),
            ("lead_lost", Topic::Outcome("lost")),
            ("lead.sla_breached", Topic::Unknown),
            ("lead.task_deleted", Topic::Unknown),
            ("lead.note.deleted", Topic::Note { gone: true }),
            ("note.created", Topic::Note { gone: false }),
            ("note.updated", Topic::Note { gone: false }),
            ("form.submitted", Topic::Form),
            ("survey.submitted", Topic::Form),
            ("deal.won", Topic::Elsewhere),
            ("invoice.paid", Topic::Elsewhere),
            ("ping", Topic::Elsewhere),
            ("", Topic::Elsewhere),
        ];
        for (name, topic) in cases {
            assert_eq!(Topic::of(name), topic, "{name}");
        }
    }
}
