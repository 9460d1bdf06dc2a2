//! The columns of a table of events, and the cells of its rows. kubectl pads with spaces; a table of more than 500 rows is
//! padded anew from time to time, so that its later rows need not stand below the heads.

/// What a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Last,
    First,
    Count,
    Kind,
    Reason,
    Object,
    Path,
    Source,
    Host,
    Namespace,
    Message,
    Name,
    Other,
}

/// The columns of one table.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// Each, with the character it begins at.
    heads: Vec<(Head, usize)>,
    /// It is the table of a pod's description: the rows do not name the pod.
    pub(super) of_description: bool,
}

/// More columns than any table of events has.
const MOST: usize = 30;
/// The longest line of heads, in bytes; a message makes its column wide.
const LONGEST: usize = 8 << 10;

impl Columns {
    /// Those of a line of heads. None: it is none, or not that of events.
    pub(super) fn of_head(line: &str) -> Option<Self> {
        let has = |word: &str| line.contains(word) || line.contains(&word.to_uppercase());
        if line.len() > LONGEST || !has("Reason") || !has("Message") {
            return None;
        }
        let words = gaps(line);
        let description = ["Type", "Reason", "Age", "From", "Message"];
        let of_description = words.iter().map(|(_, word)| *word).eq(description);
        let mut heads: Vec<(Head, usize)> = words.iter().take(MOST).map(|(at, word)| (head(word), *at)).collect();
        let has = |heads: &[(Head, usize)], wanted: Head| heads.iter().any(|(head, _)| *head == wanted);
        if !has(&heads, Head::Object)
            && let Some((head, _)) = heads.iter_mut().find(|(head, _)| *head == Head::Name)
        {
            *head = Head::Object;
        }
        let timed = has(&heads, Head::Last) || has(&heads, Head::First);
        let whole = has(&heads, Head::Reason) && has(&heads, Head::Message) && timed;
        (whole && (of_description || has(&heads, Head::Object))).then_some(Columns { heads, of_description })
    }

    /// The cells of a row.
    pub(super) fn cells<'l>(&self, line: &'l str) -> Vec<(Head, &'l str)> {
        self.below_heads(line).unwrap_or_else(|| self.by_gaps(line))
    }

    /// Those of a row whose cells stand below their heads.
    fn below_heads<'l>(&self, line: &'l str) -> Option<Vec<(Head, &'l str)>> {
        let mut at = line.char_indices();
        let (mut number, mut before) = (0, ' ');
        let mut starts = Vec::with_capacity(self.heads.len());
        for (_, start) in &self.heads {
            while number < *start {
                let Some((_, c)) = at.next() else { break };
                (number, before) = (number + 1, c);
            }
            let byte = at.clone().next().map_or(line.len(), |(byte, _)| byte);
            if byte < line.len() && before != ' ' {
                return None;
            }
            starts.push(byte);
        }
        let ends = starts.iter().skip(1).copied().chain([line.len()]);
        let cells = self.heads.iter().zip(starts.iter().zip(ends)).map(|((head, _), (from, to))| {
            let cell = line.get(*from..to)?;
            let begins_here = !cell.starts_with(' ') || cell.trim().is_empty();
            begins_here.then_some((*head, cell.trim()))
        });
        cells.collect()
    }

    /// Those of a row that was padded otherwise: what stands before the message from the left, the rest from the right.
    fn by_gaps<'l>(&self, line: &'l str) -> Vec<(Head, &'l str)> {
        let mut cells = Vec::new();
        let mut words = gaps(line).into_iter().map(|(_, word)| word).peekable();
        let message = self.heads.iter().position(|(head, _)| *head == Head::Message).unwrap_or(0);
        for (head, _) in self.heads.iter().take(message) {
            // Of all columns only this one is often empty.
            if *head == Head::Path && words.peek().is_none_or(|word| !word.contains('{')) {
                continue;
            }
            cells.extend(words.next().map(|word| (*head, word)));
        }
        let Some(rest) = words.next().and_then(|word| line.get(offset(line, word)..)) else { return cells };
        let mut rest = rest.trim();
        for (head, _) in self.heads.iter().skip(message + 1).rev() {
            let Some((before, word)) = rest.rsplit_once(char::is_whitespace) else { break };
            cells.push((*head, word));
            rest = before.trim_end();
        }
        cells.push((Head::Message, rest));
        cells
    }
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The words of a line between gaps of two or more spaces, or tabs, each with the character it begins at.
fn gaps(line: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let (mut from, mut spaces, mut end) = (None::<(usize, usize)>, 0, 0);
    let mut close = |from: &mut Option<(usize, usize)>, end: usize| {
        if let Some((number, byte)) = from.take() {
            words.extend(line.get(byte..end).map(|word| (number, word)));
        }
    };
    for (number, (byte, c)) in line.char_indices().enumerate() {
        if matches!(c, ' ' | '\t') {
            spaces += if c == '\t' { 2 } else { 1 };
            continue;
        }
        if spaces >= 2 {
            close(&mut from, end);
        }
        from.get_or_insert((number, byte));
        (spaces, end) = (0, byte + c.len_utf8());
    }
    close(&mut from, end);
    words
}

/// What a column has, by its head: kubectl's own, and those that people choose with `-o custom-columns`.
fn head(word: &str) -> Head {
    let word: String = word.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    match word.as_str() {
        "lastseen" | "last" | "lasttimestamp" | "time" | "timestamp" | "age" => Head::Last,
        "firstseen" | "first" | "firsttimestamp" | "eventtime" | "created" | "creationtimestamp" => Head::First,
        "count" => Head::Count,
        "kind" | "objectkind" => Head::Kind,
        "reason" => Head::Reason,
        "object" | "involvedobject" | "involved" | "pod" | "podname" => Head::Object,
        "subobject" | "fieldpath" => Head::Path,
        "source" | "from" | "component" => Head::Source,
        "host" | "node" => Head::Host,
        "namespace" | "ns" => Head::Namespace,
        "message" | "msg" | "note" => Head::Message,
        "name" | "event" | "eventname" => Head::Name,
        _ => Head::Other,
    }
}
