//! The plots: for every row of a table a line of dots, one for each peer, on a logarithmic scale.

use std::io;
use std::path::Path;

use plotters::prelude::*;

use crate::counts::Counts;
use crate::plan::Plan;
use crate::report::row_name;
use crate::unit::{Belongs, Workload};
use crate::walls::{OURS, Walls};

/// One dot, with its interval.
pub struct Dot {
    pub row: usize,
    pub low: f64,
    pub value: f64,
    pub high: f64,
}

/// A plot in the making.
pub struct Plot {
    title: &'static str,
    unit: &'static str,
    rows: Vec<String>,
    peers: Vec<(&'static str, Vec<Dot>)>,
}

const COLOURS: [RGBColor; 8] = [
    RGBColor(204, 37, 41),
    RGBColor(30, 30, 30),
    RGBColor(57, 106, 177),
    RGBColor(62, 150, 81),
    RGBColor(218, 124, 48),
    RGBColor(107, 76, 154),
    RGBColor(146, 120, 40),
    RGBColor(100, 160, 170),
];

/// Instructions an event, and a timer operation.
pub fn counts(out: &Path, counts: &Counts) -> io::Result<()> {
    let plots: [(&str, &str, Belongs); 2] = [
        ("instructions.svg", "User instructions an event", |w| {
            matches!(w, Workload::Pipes { .. } | Workload::Echo { .. })
        }),
        ("timer-instructions.svg", "User instructions a timer operation", |w| {
            matches!(w, Workload::Timers { .. })
        }),
    ];
    for (file, title, belongs) in plots {
        let mut plot = Plot::new(title, "instructions, logarithmic; less is better");
        for ((workload, operation, peer), count) in counts.iter().filter(|(key, _)| belongs(&key.0))
        {
            let row = plot.row(row_name(*workload, *operation));
            if let Some(value) = count.instructions {
                plot.dot(peer, Dot { row, low: value, value, high: value });
            }
        }
        plot.draw(&out.join(file))?;
    }
    Ok(())
}

/// The ratios of the pairs.
pub fn walls(out: &Path, plan: &Plan, walls: &Walls) -> io::Result<()> {
    let plots: [(&str, &str, Belongs); 3] = [
        ("walls.svg", "Pipes and TCP echo: time of the peer over mio-core's", |w| {
            matches!(w, Workload::Pipes { .. } | Workload::Echo { .. })
        }),
        ("timers.svg", "Timers: time of the peer over mio-core's", |w| {
            matches!(w, Workload::Timers { .. })
        }),
        ("messages.svg", "Messages: time of the peer over mio-core's", |w| {
            matches!(w, Workload::Messages { .. } | Workload::Queue)
        }),
    ];
    for (file, title, belongs) in plots {
        let unit = "times as long as mio-core, logarithmic, with 95 % intervals; 1 is as fast";
        let mut plot = Plot::new(title, unit);
        for &workload in plan.walls.iter().filter(|workload| belongs(workload)) {
            for metric in workload.metrics_timed() {
                let row = plot.row(row_name(workload, Some(metric)));
                for peer in workload.peers().into_iter().filter(|peer| *peer != OURS) {
                    if let Some(ratio) = walls.ratio(workload, metric, peer) {
                        let (low, value, high) = (ratio.low, ratio.value, ratio.high);
                        plot.dot(peer, Dot { row, low, value, high });
                    }
                }
            }
        }
        plot.draw(&out.join(file))?;
    }
    Ok(())
}

impl Plot {
    pub fn new(title: &'static str, unit: &'static str) -> Self {
        Self { title, unit, rows: Vec::new(), peers: Vec::new() }
    }

    pub fn row(&mut self, name: String) -> usize {
        self.rows.iter().position(|row| *row == name).unwrap_or_else(|| {
            self.rows.push(name);
            self.rows.len() - 1
        })
    }

    pub fn dot(&mut self, peer: &'static str, dot: Dot) {
        if !(dot.low > 0.0 && dot.high.is_finite()) {
            return;
        }
        match self.peers.iter_mut().find(|known| known.0 == peer) {
            Some(known) => known.1.push(dot),
            None => self.peers.push((peer, vec![dot])),
        }
    }

    pub fn draw(&self, file: &Path) -> io::Result<()> {
        if self.peers.is_empty() {
            return Ok(());
        }
        self.try_draw(file).map_err(|error| io::Error::other(error.to_string()))
    }

    fn try_draw(&self, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let dots = || self.peers.iter().flat_map(|peer| &peer.1);
        let low = dots().map(|dot| dot.low).fold(f64::INFINITY, f64::min) / 1.3;
        let high = dots().map(|dot| dot.high).fold(0.0, f64::max) * 1.3;
        let rows = self.rows.len();
        let height = 140 + 26 * rows as u32;
        let root = SVGBackend::new(file, (960, height)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(220)
            .right_y_label_area_size(170)
            .build_cartesian_2d((low..high).log_scale(), rows as f64 - 0.5..-0.5)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_desc(self.unit)
            .x_label_formatter(&|value| format!("{value}"))
            .y_labels(0)
            .label_style(("sans-serif", 13))
            .draw()?;
        for (row, name) in self.rows.iter().enumerate() {
            let guide = [(low, row as f64), (high, row as f64)];
            chart.draw_series([PathElement::new(guide, RGBColor(225, 225, 225))])?;
            let at = chart.backend_coord(&(low, row as f64));
            let style = ("sans-serif", 13).into_text_style(&root);
            root.draw_text(name, &style, (24, at.1 - 7))?;
        }
        let unity = (low < 1.0 && high > 1.0).then_some([(1.0, rows as f64 - 0.5), (1.0, -0.5)]);
        chart.draw_series(unity.map(|line| PathElement::new(line, BLACK.stroke_width(1))))?;
        for (index, (peer, dots)) in self.peers.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            // Once all colours are used they come again, hollow.
            let style =
                if index < COLOURS.len() { colour.filled() } else { colour.stroke_width(2) };
            for dot in dots {
                let row = dot.row as f64;
                let interval = [(dot.low, row), (dot.high, row)];
                chart.draw_series([PathElement::new(interval, colour.stroke_width(2))])?;
                chart.draw_series([Circle::new((dot.value, row), 4, style)])?;
            }
            let y = 60 + 20 * index as i32;
            root.draw(&Circle::new((806, y + 7), 4, style))?;
            let style = ("sans-serif", 13).into_text_style(&root);
            root.draw_text(peer, &style, (816, y))?;
        }
        root.present()?;
        Ok(())
    }
}
