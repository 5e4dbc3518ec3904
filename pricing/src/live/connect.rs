//! From the settings to the providers that are switched on.

use std::sync::Arc;

use super::aws::Aws;
use super::aws::credentials::{CredentialSource, Origin};
use super::azure::Azure;
use super::gcp::{Gcp, Shapes};
use super::{Http, LiveError, LivePrices, LiveSettings, Now, Pause, Secret};

/// Looks an environment variable up.
pub type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What the providers need of the world around them.
#[derive(Clone)]
pub struct Surroundings {
    /// The value of an environment variable.
    pub variable: Variable,
    /// What time it is.
    pub now: Now,
    /// How to wait.
    pub pause: Arc<dyn Pause>,
    /// What GCP's machine types have.
    pub shapes: Shapes,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// The providers that are switched on, and why others of them cannot be asked.
pub fn providers(
    settings: &LiveSettings,
    around: &Surroundings,
) -> (Vec<Box<dyn LivePrices>>, Vec<LiveError>) {
    let mut providers: Vec<Box<dyn LivePrices>> = Vec::new();
    let mut problems = Vec::new();
    if !settings.any() {
        return (providers, problems);
    }
    let http = match Http::new(Arc::clone(&around.pause)) {
        Ok(http) => http,
        Err(error) => return (providers, vec![error]),
    };
    if settings.aws.enabled {
        let aws = settings.aws.clone();
        let origin = Origin::find(&*around.variable, &aws.sts_url, &aws.query_region);
        let credentials = origin.map(|origin| CredentialSource::new(origin, http.clone()));
        providers.push(Box::new(Aws::new(http.clone(), aws, credentials, Arc::clone(&around.now))));
    }
    if settings.azure.enabled {
        providers.push(Box::new(Azure::new(http.clone(), &settings.azure.url)));
    }
    if settings.gcp.enabled {
        match gcp_key(settings, around) {
            Ok(key) => {
                let shapes = Arc::clone(&around.shapes);
                providers.push(Box::new(Gcp::new(http, &settings.gcp.url, key, shapes)));
            }
            Err(error) => problems.push(error),
        }
    }
    (providers, problems)
}

fn gcp_key(settings: &LiveSettings, around: &Surroundings) -> Result<Secret, LiveError> {
    let name = &settings.gcp.api_key_env;
    let key = match &settings.gcp.api_key_file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| {
            LiveError::Setting(format!("prices.live.gcp.api_key_file: {file} cannot be read: {error}"))
        })?,
        None => (around.variable)(name).unwrap_or_default(),
    };
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let problem = format!(
            "prices.live.gcp is enabled without an API key: set the variable {name}, or api_key_file"
        );
        return Err(LiveError::Setting(problem));
    }
    Ok(Secret::new(key))
}
