//! How busy the machine is over a while: a look at a time, and of each measure the least, the mean and the most.

use std::time::Instant;

use sysinfo::{Disks, Networks, System};

use super::{super::commands::CommandError, system, unreadable};

/// What was seen of one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub name: &'static str,
    /// `%`, `bytes`, `bytes/s`, or nothing.
    pub unit: &'static str,
    pub last: f64,
    pub min: f64,
    pub max: f64,
    sum: f64,
    count: u32,
}

impl Measure {
    fn of(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, last: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, sum: 0.0, count: 0 }
    }

    fn take(&mut self, value: f64) {
        self.last = value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
        self.count += 1;
    }

    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

/// A watch over the machine.
pub struct Watch {
    system: System,
    disks: Disks,
    networks: Networks,
    looked: Instant,
    measures: [Measure; 7],
}

impl Watch {
    /// Looks for the first time, which is what the next look is compared with.
    ///
    /// # Errors
    /// The system cannot be asked.
    pub fn begin() -> Result<Self, CommandError> {
        let mut system = system()?;
        system.refresh_cpu_usage();
        Ok(Self {
            system,
            disks: Disks::new_with_refreshed_list().map_err(|error| unreadable(&error))?,
            networks: Networks::new_with_refreshed_list().map_err(|error| unreadable(&error))?,
            looked: Instant::now(),
            measures: [
                Measure::of("cpu used", "%"),
                Measure::of("load (1m)", ""),
                Measure::of("memory used", "bytes"),
                Measure::of("disk read", "bytes/s"),
                Measure::of("disk written", "bytes/s"),
                Measure::of("network received", "bytes/s"),
                Measure::of("network sent", "bytes/s"),
            ],
        })
    }

    /// Looks once more.
    #[expect(clippy::cast_precision_loss)]
    pub fn look(&mut self) {
        let time = self.looked.elapsed().as_secs_f64().max(0.001);
        self.looked = Instant::now();
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.disks.refresh(false);
        self.networks.refresh(false);
        let (read, written) = self
            .disks
            .iter()
            .map(|disk| disk.usage())
            .fold((0, 0), |(read, written), usage| (read + usage.read_bytes, written + usage.written_bytes));
        let networks = self.networks.values();
        let (received, sent) =
            networks.fold((0, 0), |(received, sent), one| (received + one.received(), sent + one.transmitted()));
        let values = [
            f64::from(self.system.global_cpu_usage()),
            System::load_average().map_or(0.0, |load| load.one),
            self.system.used_memory() as f64,
            read as f64 / time,
            written as f64 / time,
            received as f64 / time,
            sent as f64 / time,
        ];
        for (measure, value) in self.measures.iter_mut().zip(values) {
            measure.take(value);
        }
    }

    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }
}
