//! The phases' colours, one set for all that is drawn: what is pulled is amber, what the runtime does cool. They are
//! chosen so that every eye tells them apart, also one that does not see red, green or blue; some have a texture beside it.

use std::fmt::Write;

use crate::model::phase::{PHASES, Phase};

/// A phase's colour on light and on dark paper.
const fn colours(phase: Phase) -> (&'static str, &'static str) {
    match phase {
        Phase::Scheduling => ("#3e74a0", "#75bae2"),
        Phase::Volumes => ("#88beae", "#177562"),
        Phase::ImageWait => ("#cc7202", "#f5b022"),
        Phase::ImagePull => ("#652900", "#d26d1c"),
        Phase::ImageBackoff => ("#ec9a52", "#892408"),
        Phase::Sandbox => ("#b25cdd", "#7339ad"),
        Phase::Init => ("#11457f", "#6f7ef0"),
        Phase::Start => ("#79e8a7", "#a9cb97"),
        Phase::RetryBackoff => ("#cc1014", "#c53129"),
        Phase::Detection => ("#faabf2", "#a769a2"),
        Phase::StatusUpdate => ("#412d44", "#fecfdf"),
        Phase::Watch => ("#606060", "#9b9c9d"),
        Phase::Readiness => ("#cadb45", "#bbf37e"),
        Phase::Unattributed => ("#8c939b", "#42454e"),
    }
}

/// What a phase has beside its colour, so that they are told apart on grey paper, too: what waits has lines, what is reported dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texture {
    Plain,
    Lines,
    Dots,
}

impl Texture {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Texture::Plain => "plain",
            Texture::Lines => "lines",
            Texture::Dots => "dots",
        }
    }

    /// The same as a background.
    const fn background(self) -> &'static str {
        match self {
            Texture::Plain => "none",
            Texture::Lines => "repeating-linear-gradient(0deg, transparent 0 2.5px, var(--t) 2.5px 4px)",
            Texture::Dots => "radial-gradient(circle, var(--t) 1px, transparent 1.2px) 0 0 / 4px 4px",
        }
    }
}

/// A phase's texture.
pub(super) const fn texture(phase: Phase) -> Texture {
    match phase {
        Phase::Scheduling | Phase::ImageWait | Phase::ImageBackoff | Phase::RetryBackoff => Texture::Lines,
        Phase::Detection | Phase::StatusUpdate | Phase::Watch | Phase::Readiness => Texture::Dots,
        Phase::Volumes | Phase::ImagePull | Phase::Sandbox | Phase::Init | Phase::Start | Phase::Unattributed => {
            Texture::Plain
        }
    }
}

/// The red, green and blue of a colour, 0 to 1, as light.
fn light(colour: &str) -> [f64; 3] {
    let byte = |at: usize| colour.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    [1, 3, 5].map(|at| {
        let value = f64::from(byte(at)) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

/// What is drawn on a colour: black or white, whichever is told apart better.
fn on(colour: &str) -> &'static str {
    let [red, green, blue] = light(colour);
    if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 { "#0007" } else { "#fff8" }
}

/// Rules for a page, whose colour scheme its reader may choose: `--c` of each class `p-PHASE`, and `--t` for what is drawn on it.
pub(super) fn of_page() -> String {
    PHASES.iter().fold(String::new(), |mut rules, (phase, name)| {
        let (light, dark) = colours(*phase);
        let (on_light, on_dark) = (on(light), on(dark));
        let back = texture(*phase).background();
        let _ = writeln!(
            rules,
            ".p-{name} {{\n\t--c: light-dark({light}, {dark});\n\t--t: light-dark({on_light}, {on_dark});\n\tbackground: {back} var(--c);\n}}"
        );
        rules
    })
}

/// Rules for a picture, which many programs show that know the reader's scheme only by a media query: the `color` of each class `PHASE`.
pub(super) fn of_picture() -> String {
    let rule = |indent: &str, name: &str, colour: &str| format!("{indent}.podlag .{name} {{ color: {colour}; }}\n");
    let light: String = PHASES.iter().map(|(phase, name)| rule("", name, colours(*phase).0)).collect();
    let dark: String = PHASES.iter().map(|(phase, name)| rule("  ", name, colours(*phase).1)).collect();
    format!("{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Matrix = [[f64; 3]; 3];

    /// How the three kinds of dichromats see: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of
    /// Color Vision Deficiency" (2009), severity 1.0, on linear light.
    const VISIONS: [(&str, Matrix); 4] = [
        ("all colours", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        ),
        (
            "deuteranopia",
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        ),
        (
            "tritanopia",
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
        ),
    ];

    fn times(matrix: Matrix, [a, b, c]: [f64; 3]) -> [f64; 3] {
        matrix.map(|[x, y, z]| x * a + y * b + z * c)
    }

    /// Oklab (Ottosson 2020), in which equal distances look about equal.
    fn oklab(light: [f64; 3]) -> [f64; 3] {
        const CONES: Matrix = [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ];
        const LAB: Matrix = [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ];
        times(LAB, times(CONES, light).map(f64::cbrt))
    }

    /// How far two colours are apart to the one who sees them least apart, in hundredths of Oklab; and who that is.
    fn apart(one: &str, other: &str) -> (f64, &'static str) {
        let seen = |colour: &str, matrix| oklab(times(matrix, light(colour)).map(|value| value.clamp(0.0, 1.0)));
        let by = VISIONS.iter().map(|(name, matrix)| {
            let (a, b) = (seen(one, *matrix), seen(other, *matrix));
            let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
            (100.0 * square.sqrt(), *name)
        });
        by.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    }

    #[test]
    fn phases_are_told_apart_by_every_eye() {
        // Of two areas that touch, 2 is just seen; 3.4 was the distance of blue and violet that readers mistook in a legend.
        const ALL: f64 = 9.5;
        const NEIGHBOURS: f64 = 15.0;
        for (scheme, of) in [("light", 0), ("dark", 1)] {
            let colour = |phase: Phase| if of == 0 { colours(phase).0 } else { colours(phase).1 };
            for (at, (one, name)) in PHASES.iter().enumerate() {
                for (beside, (other, other_name)) in PHASES.iter().enumerate().skip(at + 1) {
                    let (distance, eye) = apart(colour(*one), colour(*other));
                    let least = if beside == at + 1 { NEIGHBOURS } else { ALL };
                    assert!(distance >= least, "{scheme}: {name} and {other_name} are {distance:.1} apart ({eye})");
                }
            }
        }
        assert!(apart("#8f97a3", "#c58fb8").0 < 4.0, "two that were mistaken for each other");
    }

    /// Grey paper keeps the lightness only: there neighbours differ by that or by their texture.
    #[test]
    fn neighbours_are_told_apart_on_grey_paper() {
        for pair in PHASES.windows(2) {
            let [(one, name), (other, other_name)] = pair else { continue };
            let lightness = |phase: Phase| {
                let [red, green, blue] = light(colours(phase).0);
                oklab([0.2126 * red + 0.7152 * green + 0.0722 * blue; 3])[0]
            };
            let distance = 100.0 * (lightness(*one) - lightness(*other)).abs();
            let differ = texture(*one) != texture(*other);
            assert!(differ || distance >= 5.0, "{name} and {other_name}: {distance:.1}");
        }
    }

    #[test]
    fn page_and_picture_have_the_same_colours() {
        let (page, picture) = (of_page(), format!("\n{}", of_picture()));
        for (phase, name) in PHASES {
            let (light, dark) = colours(*phase);
            assert!(page.contains(&format!(".p-{name} {{\n\t--c: light-dark({light}, {dark});")), "{page}");
            assert!(picture.contains(&format!("\n.podlag .{name} {{ color: {light}; }}")), "{picture}");
            assert!(picture.contains(&format!("  .podlag .{name} {{ color: {dark}; }}")), "{picture}");
        }
    }
}
