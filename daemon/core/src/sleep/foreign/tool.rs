//! The tools whose wishes are understood.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// A tool that puts things to sleep, or deletes them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// py-kube-downscaler and its ancestor kube-downscaler: `downscaler/*`.
    KubeDownscaler,
    /// `GoKubeDownscaler`: the same keys, read otherwise.
    #[serde(rename = "gokubedownscaler")]
    GoKubeDownscaler,
    /// kube-green: `SleepInfo` objects.
    KubeGreen,
    /// loft and vCluster Platform: `sleepmode.loft.sh/*`, vcluster.yaml.
    Loft,
    /// nightshift: `joyrex2001.com/nightshift.*`.
    Nightshift,
    /// Snorlax: `SleepSchedule` objects.
    Snorlax,
    /// slumlord: `SlumlordSleepSchedule` objects.
    Slumlord,
    /// KEDA: cron triggers, `autoscaling.keda.sh/*`.
    Keda,
    /// kube-janitor: `janitor/*`, which delete.
    KubeJanitor,
}

/// A name that is no tool.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0:?} is no tool whose wishes are read: use one of {names}", names = Tool::names())]
pub struct UnknownTool(pub String);

impl Tool {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 9] = [
        Self::KubeDownscaler,
        Self::GoKubeDownscaler,
        Self::KubeGreen,
        Self::Loft,
        Self::Nightshift,
        Self::Snorlax,
        Self::Slumlord,
        Self::Keda,
        Self::KubeJanitor,
    ];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KubeDownscaler => "kube-downscaler",
            Self::GoKubeDownscaler => "gokubedownscaler",
            Self::KubeGreen => "kube-green",
            Self::Loft => "loft",
            Self::Nightshift => "nightshift",
            Self::Snorlax => "snorlax",
            Self::Slumlord => "slumlord",
            Self::Keda => "keda",
            Self::KubeJanitor => "kube-janitor",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tool {
    type Err = UnknownTool;

    fn from_str(text: &str) -> Result<Self, UnknownTool> {
        Self::ALL.into_iter().find(|tool| tool.name() == text).ok_or_else(|| UnknownTool(text.to_owned()))
    }
}
