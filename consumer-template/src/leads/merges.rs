//! Which leads are one, and which id stands for them.
//!
//! A merge joins for good: leads that were ever merged, directly or through others, are one group. Its survivor is the one that was
//! merged into no other. If there are several (`A` into `B`, `A` into `C`), or none (`A` into `B`, `B` into `A`), the latest merge
//! decides. So it does not matter in which order merges become known, nor whether they do before or after the leads.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Book, Kind, Said};

/// The groups of a book: for each survivor, all ids that it stands for, its own included.
#[must_use]
pub fn groups(book: &Book) -> BTreeMap<String, BTreeSet<String>> {
    let links: Vec<_> = links(book).collect();
    let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for link in &links {
        neighbours.entry(link.loser).or_default().push(link.into);
        neighbours.entry(link.into).or_default().push(link.loser);
    }
    let mut left = book.leads();
    let mut groups = BTreeMap::new();
    while let Some(first) = left.pop_first() {
        let mut group = BTreeSet::from([first.clone()]);
        let mut open = vec![first.clone()];
        while let Some(id) = open.pop() {
            for next in neighbours.get(id.as_str()).into_iter().flatten() {
                if let Some(next) = left.take(*next) {
                    group.insert(next.clone());
                    open.push(next);
                }
            }
        }
        let survivor = if group.len() == 1 { first } else { survivor(&links, &group).unwrap_or(first) };
        groups.insert(survivor, group);
    }
    groups
}

/// One merge.
struct Link<'a> {
    said: &'a Said,
    loser: &'a str,
    into: &'a str,
}

fn links(book: &Book) -> impl Iterator<Item = Link<'_>> {
    let merges = book.iter().filter(|(key, _)| key.kind == Kind::Merged);
    merges.map(|(key, said)| Link { said, loser: &key.lead, into: &key.name })
}

fn survivor(links: &[Link<'_>], group: &BTreeSet<String>) -> Option<String> {
    let losers: BTreeSet<_> =
        links.iter().map(|link| link.loser).filter(|loser| group.contains(*loser)).collect();
    let inside = links.iter().filter(|link| group.contains(link.loser));
    // Who was never merged comes before who was; among those, the latest merge decides.
    let best = inside.max_by_key(|link| (!losers.contains(link.into), link.said, link.into));
    best.map(|link| link.into.to_owned())
}
