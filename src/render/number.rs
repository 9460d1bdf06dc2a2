//! Figures as people read them.

pub use crate::model::duration::format_duration;

/// A share: `38 %`, `<1 %`.
pub fn format_percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 { "<1 %".into() } else { format!("{:.0} %", (share * 100.0).round()) }
}

/// A share that is a lower bound: `≥ 38 %`, `≥ 0 %`.
pub fn format_at_least(share: f64) -> String {
    format!("≥ {}", format_percent(if share < 0.01 { 0.0 } else { share }))
}

/// From and to, the unit once where both have the same: `20–30 s`.
pub fn format_range(low: f64, high: f64) -> String {
    let (low, high) = (format_duration(low), format_duration(high));
    if low == high {
        return low;
    }
    let unit = |text: &str| text.rsplit_once(' ').map(|(_, unit)| unit.to_owned());
    match low.rsplit_once(' ') {
        Some((number, _)) if unit(&low) == unit(&high) && !number.contains('m') => format!("{number}–{high}"),
        _ if low == "0 ms" => format!("0–{high}"),
        _ => format!("{low}–{high}"),
    }
}

/// Thousands apart: `2,412`.
pub fn format_count(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes for people, in units of 1024: `512 B`, `1.50 MiB`.
pub(super) fn format_bytes(bytes: f64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let bytes = bytes.max(0.0).floor();
    let at = UNITS.iter().skip(1).zip(1..).take_while(|(_, power)| bytes >= 1024_f64.powi(*power)).count();
    match UNITS.get(at) {
        Some(unit) if at > 0 => format!("{:.2} {unit}", bytes / 1024_f64.powi(at as i32)),
        _ => format!("{bytes:.0} B"),
    }
}

/// The size of a file, in units of 1000 as file managers show it: `1.4 MB`.
pub(super) fn format_size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes:.0} B"),
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_well() {
        let all: Vec<String> = [0.0, -0.0, -0.0004, 0.32, 0.9999, 4.23, 9.96, 59.4, 59.7, 131.0, 13800.0, -5.7]
            .map(format_duration)
            .into();
        assert_eq!(
            all,
            [
                "0 ms", "0 ms", "0 ms", "320 ms", "1.0 s", "4.2 s", "10 s", "59 s", "1m 00s", "2m 11s", "3h 50m",
                "-5.7 s"
            ]
        );
        assert_eq!([format_percent(0.0), format_percent(0.004), format_percent(0.38)], ["0 %", "<1 %", "38 %"]);
    }

    #[test]
    fn sizes_of_files_are_in_units_of_1000() {
        assert_eq!(
            [0, 999, 1000, 1_400_000, 5_000_000_000].map(format_size),
            ["0 B", "999 B", "1 kB", "1.4 MB", "5.0 GB"]
        );
    }

    #[test]
    fn bytes_are_in_units_of_1024() {
        let all = [-1.0, 0.0, 1023.0, 1024.0, 1_572_864.0, 5e9, 1e18].map(format_bytes);
        assert_eq!(all, ["0 B", "0 B", "1023 B", "1.00 KiB", "1.50 MiB", "4.66 GiB", "888.18 PiB"]);
    }
}
