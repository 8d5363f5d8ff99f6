//! Pictures as SVG to be put into a page: the page's style sheet colours them.

use std::fmt::Write;

/// Width of the curves in their own units; a page scales them.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 240.0;
/// What is left free around the curves for their scales.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;

/// A picture under way.
struct Svg {
    body: String,
}

impl Svg {
    fn start(class: &str, (width, height): (f64, f64), says: &str) -> Self {
        let (width, height) = (number(width), number(height));
        Self {
            body: format!(
                "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{says}\">"
            ),
        }
    }

    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        self.add(format_args!(
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        ));
    }

    fn rectangle(&mut self, class: &str, at: (f64, f64), size: (f64, f64)) {
        let [x, y, width, height] = [at.0, at.1, size.0, size.1].map(number);
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    fn path(&mut self, class: &str, path: &str) {
        self.add(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    fn text(&mut self, anchor: &str, at: (f64, f64), text: &str) {
        let [x, y] = [at.0, at.1].map(number);
        self.add(format_args!(
            "<text text-anchor=\"{anchor}\" x=\"{x}\" y=\"{y}\">{text}</text>"
        ));
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a text can't fail.
        let _ = self.body.write_fmt(element);
    }

    fn finish(mut self) -> String {
        self.body.push_str("</svg>");
        self.body
    }
}

/// A share with its interval as a bar: low, share and high, each 0 to 1.
pub(super) fn bar((low, share, high): (f64, f64, f64)) -> String {
    let mut svg = Svg::start("bar", (100.0, 10.0), "");
    svg.rectangle("track", (0.0, 2.0), (100.0, 6.0));
    svg.rectangle("fill", (0.0, 2.0), (share * 100.0, 6.0));
    if high > low {
        svg.line("whisker", (low * 100.0, 5.0), (high * 100.0, 5.0));
        for end in [low, high] {
            let end = (end * 100.0).clamp(0.5, 99.5);
            svg.line("whisker", (end, 1.5), (end, 8.5));
        }
    }
    svg.finish()
}

/// How much each agent had solved after so many steps: the steps that each solved episode took,
/// sorted, and how many episodes there were.
pub(super) fn curves(agents: &[(Vec<u64>, usize)], most: u64) -> String {
    let most = most.max(1) as f64;
    let x = |steps: f64| LEFT + steps / most * (WIDTH - LEFT - RIGHT);
    let y = |share: f64| HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    let says = "share of episodes solved within so many steps, by agent";
    let mut svg = Svg::start("curves", (WIDTH, HEIGHT), says);
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        svg.line("grid", (LEFT, y(share)), (WIDTH - RIGHT, y(share)));
        let label = format!("{} %", quarter * 25);
        svg.text("end", (LEFT - 6.0, y(share) + 4.0), &label);
    }
    let tick = tick(most);
    let mut at = 0.0;
    while at <= most {
        svg.line("grid", (x(at), y(0.0)), (x(at), y(0.0) + 4.0));
        svg.text("middle", (x(at), y(0.0) + 17.0), &number(at));
        at += tick;
    }
    svg.text("middle", (x(most / 2.0), HEIGHT - 5.0), "steps");
    for (number_of, (solved, all)) in agents.iter().enumerate() {
        let mut path = format!("M{} {}", number(x(0.0)), number(y(0.0)));
        let mut steps = solved.iter().enumerate().peekable();
        while let Some((before, taken)) = steps.next() {
            // Several that took the same number of steps are one rise.
            if steps.peek().is_some_and(|(_, next)| *next == taken) {
                continue;
            }
            let share = (before + 1) as f64 / (*all).max(1) as f64;
            let _ = write!(path, "H{}V{}", number(x(*taken as f64)), number(y(share)));
        }
        let _ = write!(path, "H{}", number(x(most)));
        svg.path(&format!("curve agent-{}", number_of % 8), &path);
    }
    svg.finish()
}

/// The distance of the marks of a scale: at most eight of them, at round numbers.
fn tick(most: f64) -> f64 {
    let mut tick = 1.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
        if most / tick <= 8.0 {
            break;
        }
        tick *= factor;
    }
    tick
}

/// With one digit after the point at most, so that every machine writes the same.
fn number(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round() {
        let ticks = [1.0, 8.0, 9.0, 17.0, 30.0, 50.0, 100.0, 1000.0].map(tick);
        assert_eq!(ticks, [1.0, 1.0, 2.0, 5.0, 5.0, 10.0, 20.0, 200.0]);
    }

    #[test]
    fn a_curve_rises_once_for_each_number_of_steps() {
        let svg = curves(&[(vec![1, 1, 4], 4)], 4);
        // From nothing to two of four after one step, to three of four after four.
        assert!(svg.contains("d=\"M48 200H142.5V106H426V59H426\""), "{svg}");
        let bar = bar((0.25, 0.5, 0.75));
        assert!(bar.contains("width=\"50\""), "{bar}");
        assert!(bar.contains("x1=\"25\" y1=\"5\" x2=\"75\""), "{bar}");
    }
}
