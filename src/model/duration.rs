//! Lengths of time as people read them: in reports, and in sentences that evidence is told in.

/// A length of time: `320 ms`, `4.2 s`, `2m 11s`, `3h 50m`.
pub fn format_duration(seconds: f64) -> String {
    let magnitude = seconds.abs();
    if !magnitude.is_finite() {
        return "?".into();
    }
    if magnitude < 0.0005 {
        // Nothing has no sign.
        return "0 ms".into();
    }
    if magnitude < 0.9995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if magnitude < 9.95 {
        return format!("{seconds:.1} s");
    }
    if magnitude < 59.5 {
        return format!("{seconds:.0} s");
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let whole = magnitude.round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{sign}{hours}h {minutes:02}m") } else { format!("{sign}{minutes}m {rest:02}s") }
}
