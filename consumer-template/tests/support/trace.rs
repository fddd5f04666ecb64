//! Reads a trace of system calls, and holds every answer against the syncs before it.
//!
//! # The rule
//!
//! An event is on disk when the write-ahead log's frames with its body are written, the frame that commits them is written after
//! them, and a sync of the log has *started* after that and has succeeded. No 2xx may be *begun* before. Each event carries a
//! number that is found in the request, in the frames, and so ties an answer to its own commit: that others are synced in
//! the meantime does not count. Sharing a sync is no violation.
//!
//! The tracer stops a thread at the start and at the end of each call. What one thread does because of what another has done is
//! therefore always in that order in the trace, so a violation is real.

use std::collections::{BTreeSet, HashMap};

use super::process::letters;

/// The calls to trace.
pub(crate) const CALLS: &str =
    "trace=pwrite64,pwritev,pwritev2,fsync,fdatasync,write,writev,sendto,sendmsg,read,readv,recvfrom,recvmsg";

/// The most bytes of a call's data that must be in the trace: a page of the database.
pub(crate) const BYTES: &str = "8192";

const FRAME_HEADER: usize = 24;

/// What a trace says.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Answers of success.
    pub(crate) answers: usize,
    /// Successful syncs of the log.
    pub(crate) syncs: usize,
    /// Events whose success was answered before they were on disk.
    pub(crate) violations: Vec<u64>,
    /// Answers of success to nothing that could be read. Must be none: the rule was not applied to them.
    pub(crate) unknown: usize,
    /// Everything that was written to at an offset, as a database is.
    pub(crate) written: BTreeSet<String>,
    /// Of each event, the commit that it is in, counted from 1.
    commit_of: HashMap<u64, usize>,
    commits: usize,
    synced: usize,
    /// Whether the frame that is being written ends a transaction.
    committing: bool,
    /// What was read from each socket since its last answer.
    requests: HashMap<String, String>,
    /// Of each thread that is syncing, how many commits its sync covers.
    syncing: HashMap<String, usize>,
    /// Of each thread, the call that it is in.
    open: HashMap<String, String>,
}

impl Trace {
    pub(crate) fn read(lines: impl IntoIterator<Item = String>) -> Self {
        let mut trace = Self::default();
        for line in lines {
            trace.line(&line);
        }
        trace
    }

    fn line(&mut self, line: &str) {
        let Some((thread, call)) = line.split_once(' ') else { return };
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix("<unfinished ...>") {
            self.begins(thread, begun);
            self.open.insert(thread.to_owned(), begun.to_owned());
        } else if let Some((_, rest)) =
            call.strip_prefix("<... ").and_then(|call| call.split_once(" resumed>"))
        {
            let begun = self.open.remove(thread).unwrap_or_default();
            self.ends(thread, &(begun + rest));
        } else {
            self.begins(thread, call);
            self.ends(thread, call);
        }
    }

    fn begins(&mut self, thread: &str, call: &str) {
        match name(call) {
            "fsync" | "fdatasync" if is_log(call) => {
                self.syncing.insert(thread.to_owned(), self.commits);
            }
            "write" | "writev" | "sendto" | "sendmsg" if is_socket(call) => self.answer(call),
            _ => {}
        }
    }

    fn ends(&mut self, thread: &str, call: &str) {
        let Some((call, result)) = call.rsplit_once(" = ") else { return };
        if name(call).starts_with("pwrite") && !self.written.contains(file(call)) {
            self.written.insert(file(call).to_owned());
        }
        match name(call) {
            _ if result.starts_with(['-', '?']) => {}
            "fsync" | "fdatasync" if is_log(call) => {
                self.syncs += 1;
                self.synced = self.synced.max(self.syncing.remove(thread).unwrap_or(0));
            }
            "pwrite64" if is_log(call) => self.logged(call),
            "pwritev" | "pwritev2" if is_log(call) => panic!("teach this test to read {}", name(call)),
            "read" | "readv" | "recvfrom" | "recvmsg" if is_socket(call) => {
                self.requests.entry(file(call).to_owned()).or_default().push_str(call);
            }
            _ => {}
        }
    }

    /// A frame's header, or its page.
    fn logged(&mut self, call: &str) {
        let Some((data, rest)) = data(call) else { return };
        if rest.trim_start_matches(", ").starts_with(&format!("{FRAME_HEADER}, ")) {
            // The size of the database, which only a frame that commits has.
            self.committing = unescape(data).get(4..8).is_some_and(|size| size != [0; 4]);
            return;
        }
        for number in letters::numbers(data) {
            self.commit_of.entry(number).or_insert(self.commits + 1);
        }
        self.commits += usize::from(std::mem::take(&mut self.committing));
    }

    fn answer(&mut self, call: &str) {
        if !call.contains("\"HTTP/1.1 ") {
            return;
        }
        let request = self.requests.remove(file(call)).unwrap_or_default();
        if !call.contains("\"HTTP/1.1 2") {
            return;
        }
        self.answers += 1;
        match letters::numbers(&request).last() {
            None => self.unknown += 1,
            Some(number) if self.commit_of.get(&number).is_some_and(|commit| *commit <= self.synced) => {}
            Some(number) => self.violations.push(number),
        }
    }
}

fn name(call: &str) -> &str {
    call.split_once('(').map_or("", |(name, _)| name)
}

/// What the call's first argument stands for: a path, `socket:[4711]`.
fn file(call: &str) -> &str {
    let first = call.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    first.map_or("", |(file, _)| file)
}

fn is_log(call: &str) -> bool {
    file(call).ends_with("-wal")
}

fn is_socket(call: &str) -> bool {
    file(call).starts_with("socket:") || file(call).starts_with("TCP")
}

/// The string among a call's arguments, as it is printed, and what comes after it.
fn data(call: &str) -> Option<(&str, &str)> {
    call.split_once('"')?.1.rsplit_once('"')
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let octal = rest.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
        if octal > 0 {
            let value = rest[..octal].iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            bytes.push(u8::try_from(value).unwrap());
            rest = &rest[octal..];
        } else if let [escaped, after @ ..] = rest {
            // Which of `\n`, `\t`, `\"` it is does not matter here: none is zero.
            bytes.push(*escaped);
            rest = after;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str =
        r#"7 recvfrom(5<socket:[1]>, "POST /hooks HTTP/1.1\r\n\r\nmark-00000001", 8192, 0, NULL, NULL) = 40"#;
    const HEADER: &str =
        r#"8 pwrite64(9</x/a.db-wal>, "\0\0\0\5\0\0\0\7\1\2\3\4\5\6\7\10abcdefgh", 24, 32) = 24"#;
    const NO_COMMIT: &str =
        r#"8 pwrite64(9</x/a.db-wal>, "\0\0\0\5\0\0\0\0\1\2\3\4\5\6\7\10abcdefgh", 24, 32) = 24"#;
    const PAGE: &str = r#"8 pwrite64(9</x/a.db-wal>, "\r\0\0mark-00000001\"", 4096, 56) = 4096"#;
    const SYNC: &str = "8 fsync(9</x/a.db-wal>) = 0";
    const ANSWER: &str = r#"7 sendto(5<socket:[1]>, "HTTP/1.1 200 OK\r\n", 80, MSG_NOSIGNAL, NULL, 0) = 80"#;

    fn read(lines: &[&str]) -> (usize, Vec<u64>, usize) {
        let trace = Trace::read(lines.iter().map(|line| (*line).to_owned()));
        (trace.answers, trace.violations, trace.unknown)
    }

    #[test]
    fn an_answer_after_the_sync_of_its_commit_is_right() {
        assert_eq!(read(&[REQUEST, HEADER, PAGE, SYNC, ANSWER]), (1, vec![], 0));
        let duplicate = [REQUEST, HEADER, PAGE, SYNC, ANSWER, REQUEST, ANSWER];
        assert_eq!(read(&duplicate), (2, vec![], 0), "a duplicate needs no sync of its own");
    }

    #[test]
    fn an_answer_before_the_sync_of_its_commit_is_a_violation() {
        assert_eq!(read(&[REQUEST, ANSWER]), (1, vec![1], 0), "nothing written");
        assert_eq!(read(&[REQUEST, HEADER, PAGE, ANSWER, SYNC]), (1, vec![1], 0), "synced later");
        assert_eq!(read(&[REQUEST, SYNC, HEADER, PAGE, ANSWER]), (1, vec![1], 0), "synced earlier");
        assert_eq!(read(&[REQUEST, NO_COMMIT, PAGE, SYNC, ANSWER]), (1, vec![1], 0), "synced, not committed");
        let failed = "8 fsync(9</x/a.db-wal>) = -1 EIO (Input/output error)";
        assert_eq!(read(&[REQUEST, HEADER, PAGE, failed, ANSWER]), (1, vec![1], 0), "not synced");
        let other = "8 fsync(9</x/a.db>) = 0";
        assert_eq!(read(&[REQUEST, HEADER, PAGE, other, ANSWER]), (1, vec![1], 0), "another file");
    }

    #[test]
    fn a_sync_covers_what_was_written_before_it_started() {
        let (start, end) = ("9 fsync(9</x/a.db-wal> <unfinished ...>", "9 <... fsync resumed>) = 0");
        assert_eq!(read(&[REQUEST, HEADER, PAGE, start, end, ANSWER]), (1, vec![], 0));
        assert_eq!(read(&[REQUEST, start, HEADER, PAGE, end, ANSWER]), (1, vec![1], 0));
        assert_eq!(read(&[REQUEST, HEADER, PAGE, start, ANSWER, end]), (1, vec![1], 0));
    }

    #[test]
    fn an_answer_to_nothing_is_noticed() {
        assert_eq!(read(&[HEADER, PAGE, SYNC, ANSWER]), (1, vec![], 1));
        assert_eq!(read(&[REQUEST, HEADER, PAGE, SYNC, &ANSWER.replace("200 OK", "503 No")]), (0, vec![], 0));
    }
}
