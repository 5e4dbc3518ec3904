//! The answer to a question: groups, lines of their own, and the bill they add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::costs::Costs;
use super::group::Group;
use crate::money::{ByResource, Confidence, NodeName};
use crate::units::{PicoUsd, Window};

/// The name of the line for what nobody used.
pub const IDLE: &str = "__idle__";
/// The name of the line for what everybody uses.
pub const SHARED: &str = "__shared__";
/// The name of the line for what running a cluster costs at all, such as its control plane.
pub const OVERHEAD: &str = "__overhead__";
/// The name of the row for the groups that a top-n leaves out.
pub const OTHERS: &str = "__others__";

/// The answer for one step of a window.
///
/// The totals of `groups`, `others`, `lines` and `filtered` add up to `total`, to the pico-dollar.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// The step.
    pub window: Window,
    /// Groups by their values, in the order of the dimensions asked for.
    pub groups: BTreeMap<Vec<Arc<str>>, Group>,
    /// The groups that a top-n left out, together; `None` if it left out none.
    pub others: Option<Others>,
    /// What belongs to no group: idle, shared and overhead as far as they were not spread, and what is unmounted.
    pub lines: Vec<Line>,
    /// What the filter left out, with its parts of what was spread.
    pub filtered: PicoUsd,
    /// The bill: what everything cost.
    pub total: PicoUsd,
    /// What all nodes cost, idle included.
    pub nodes: ByResource,
    /// What of that nobody used, whether it was spread or not.
    pub idle: ByResource,
    /// How much of `total` rests on prices of which confidence.
    pub by_confidence: BTreeMap<Confidence, PicoUsd>,
    /// What the lines that were spread were made of, by their names.
    pub spread: BTreeMap<&'static str, Costs>,
    /// What sleep saved in the same time, of those whom the filter asks for.
    pub saved: PicoUsd,
    /// A row was cut by the window.
    pub prorated: bool,
    /// Some rows are cut out of rows that stand for a day, in proportion to time: finer ones are not kept any more.
    pub coarse: bool,
    /// Part of the window is provisional still.
    pub open: bool,
}

/// Groups that are told as one.
#[derive(Clone, PartialEq, Debug)]
pub struct Others {
    /// How many they are.
    pub count: usize,
    /// Their sum.
    pub group: Group,
}

/// A line of its own: nobody's, or everybody's.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Its name: [`IDLE`], [`SHARED`], [`OVERHEAD`], [`super::UNMOUNTED`], or another between double underscores.
    pub name: Arc<str>,
    /// The node whose idle cost it is, where idle is told by node.
    pub node: Option<Arc<NodeName>>,
    /// What it costs.
    pub group: Group,
}

impl Table {
    /// What belongs to groups: own cost and parts of what was spread.
    pub fn allocated(&self) -> PicoUsd {
        self.groups
            .values()
            .chain(self.others.iter().map(|others| &others.group))
            .map(|g| g.costs.total())
            .sum()
    }

    /// What the lines of one name cost together.
    pub fn line(&self, name: &str) -> PicoUsd {
        self.lines.iter().filter(|line| &*line.name == name).map(|line| line.group.costs.total()).sum()
    }
}
