//! Which providers are asked, where, and how often. None is, unless it is switched on.

use nightcap_core::units::{Millis, parse_duration};
use serde::Deserialize;

use crate::SettingError;

/// Prices from the providers.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveSettings {
    /// How often everything is asked anew, from `10m` to `30d`.
    pub refresh_every: String,
    /// How old a list price may be before the embedded table is used again.
    pub max_age: String,
    /// How old a spot price may be before the embedded table is used again.
    pub spot_max_age: String,
    /// Amazon Web Services.
    pub aws: AwsSettings,
    /// Azure.
    pub azure: AzureSettings,
    /// Google Cloud.
    pub gcp: GcpSettings,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            refresh_every: "12h".to_owned(),
            max_age: "30d".to_owned(),
            spot_max_age: "2d".to_owned(),
            aws: AwsSettings::default(),
            azure: AzureSettings::default(),
            gcp: GcpSettings::default(),
        }
    }
}

/// How list prices of AWS are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AwsMode {
    /// `GetProducts` for the types that are there: some kilobytes, needs `pricing:GetProducts`.
    #[default]
    Query,
    /// The file of each region: needs no account, and up to 450 MB a time.
    Bulk,
    /// `GetProducts`, and the file where that fails.
    Both,
}

/// Amazon Web Services.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsSettings {
    /// Whether it is asked.
    pub enabled: bool,
    /// How list prices are asked for.
    pub mode: AwsMode,
    /// Whether spot prices are asked for: needs `ec2:DescribeSpotPriceHistory`.
    pub spot: bool,
    /// The region that answers `GetProducts`: `us-east-1`, `eu-central-1` or `ap-south-1`.
    pub query_region: String,
    /// Where `GetProducts` is; `{region}` stands for `query_region`.
    pub query_url: String,
    /// Where the bulk files are.
    pub bulk_url: String,
    /// Where EC2 is; `{region}` stands for the nodes' region.
    pub ec2_url: String,
    /// Where credentials are exchanged; `{region}` stands for `AWS_REGION`, else `query_region`.
    pub sts_url: String,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            mode: AwsMode::Query,
            spot: true,
            query_region: "us-east-1".to_owned(),
            query_url: "https://api.pricing.{region}.amazonaws.com".to_owned(),
            bulk_url: "https://pricing.us-east-1.amazonaws.com".to_owned(),
            ec2_url: "https://ec2.{region}.amazonaws.com".to_owned(),
            sts_url: "https://sts.{region}.amazonaws.com".to_owned(),
        }
    }
}

/// Azure.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AzureSettings {
    /// Whether it is asked.
    pub enabled: bool,
    /// Where.
    pub url: String,
}

impl Default for AzureSettings {
    fn default() -> Self {
        Self { enabled: false, url: "https://prices.azure.com".to_owned() }
    }
}

/// Google Cloud.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GcpSettings {
    /// Whether it is asked.
    pub enabled: bool,
    /// Where.
    pub url: String,
    /// The file that holds the API key; comes before the variable.
    pub api_key_file: Option<String>,
    /// The variable that holds the API key.
    pub api_key_env: String,
}

impl Default for GcpSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            url: "https://cloudbilling.googleapis.com".to_owned(),
            api_key_file: None,
            api_key_env: "GCP_BILLING_API_KEY".to_owned(),
        }
    }
}

/// The durations of the settings, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LiveTimes {
    pub(crate) refresh_every: Millis,
    pub(crate) max_age: Millis,
    pub(crate) spot_max_age: Millis,
}

impl LiveSettings {
    /// Whether any provider is asked.
    pub fn any(&self) -> bool {
        self.aws.enabled || self.azure.enabled || self.gcp.enabled
    }

    /// How often everything is asked anew. What was checked is never the default in disguise.
    pub fn refresh_every(&self) -> Millis {
        self.times().refresh_every
    }

    pub(crate) fn times(&self) -> LiveTimes {
        let read = |text: &str, otherwise| parse_duration(text).unwrap_or(otherwise);
        LiveTimes {
            refresh_every: read(&self.refresh_every, Millis::from_hours(12)),
            max_age: read(&self.max_age, Millis::from_hours(30 * 24)),
            spot_max_age: read(&self.spot_max_age, Millis::from_hours(48)),
        }
    }

    /// Everything that is wrong with them.
    pub(crate) fn check(&self, errors: &mut Vec<SettingError>) {
        let mut add = |path: &str, value: &str, problem: String| {
            errors.push(SettingError { path: format!("live.{path}"), value: format!("{value:?}"), problem });
        };
        let month = Millis::from_hours(30 * 24);
        for (path, text, least, most, words) in [
            ("refresh_every", &self.refresh_every, Millis::from_minutes(10), month, "10m to 30d"),
            ("max_age", &self.max_age, Millis::from_hours(24), Millis::from_hours(366 * 24), "1d to 366d"),
            ("spot_max_age", &self.spot_max_age, Millis::from_hours(24), month, "1d to 30d"),
        ] {
            match parse_duration(text) {
                Ok(time) if (least..=most).contains(&time) => {}
                _ => add(path, text, format!("is not allowed: write a duration from {words}")),
            }
        }
        for (path, url) in [
            ("aws.query_url", &self.aws.query_url),
            ("aws.bulk_url", &self.aws.bulk_url),
            ("aws.ec2_url", &self.aws.ec2_url),
            ("aws.sts_url", &self.aws.sts_url),
            ("azure.url", &self.azure.url),
            ("gcp.url", &self.gcp.url),
        ] {
            let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            if host.is_none_or(str::is_empty) || url.contains(char::is_whitespace) {
                add(path, url, "is no base URL: begin it with https:// or http://".to_owned());
            }
        }
        if !["us-east-1", "eu-central-1", "ap-south-1"].contains(&self.aws.query_region.as_str()) {
            let problem = "does not answer GetProducts: use us-east-1, eu-central-1 or ap-south-1";
            add("aws.query_region", &self.aws.query_region, problem.to_owned());
        }
    }
}
