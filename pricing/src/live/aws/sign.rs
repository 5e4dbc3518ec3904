//! Signature version 4 on a request.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials as Identity;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use nightcap_core::units::Instant;

use super::credentials::Credentials;
use crate::live::LiveError;

/// What is signed.
#[derive(Debug)]
pub(super) struct ToSign<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a str,
    pub(super) service: &'a str,
    pub(super) region: &'a str,
}

/// The headers to add.
pub(super) fn headers(
    request: &ToSign<'_>,
    credentials: &Credentials,
    now: Instant,
) -> Result<Vec<(String, String)>, LiveError> {
    let wrong = |problem: String| LiveError::Credentials(format!("a request cannot be signed: {problem}"));
    let token = credentials.session_token.as_ref().map(|token| token.reveal().to_owned());
    let secret = credentials.secret_access_key.reveal();
    let identity = Identity::new(&credentials.access_key_id, secret, token, None, "nightcap").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(request.region)
        .name(request.service)
        .time(UNIX_EPOCH + Duration::from_millis(now.0.max(0).unsigned_abs()))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| wrong(error.to_string()))?
        .into();
    let signable = SignableRequest::new(
        request.method,
        request.url,
        request.headers.iter().copied(),
        SignableBody::Bytes(request.body.as_bytes()),
    )
    .map_err(|error| wrong(error.to_string()))?;
    let (instructions, _) = sign(signable, &params).map_err(|error| wrong(error.to_string()))?.into_parts();
    let (headers, _) = instructions.into_parts();
    Ok(headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Secret;

    /// The example of AWS's own documentation of signature version 4 (`get-vanilla`).
    #[test]
    fn the_documented_example_gets_the_documented_signature() {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
            expires: None,
        };
        let request = ToSign {
            method: "GET",
            url: "https://example.amazonaws.com/",
            headers: &[],
            body: "",
            service: "service",
            region: "us-east-1",
        };
        let headers = headers(&request, &credentials, Instant(1_440_938_160_000)).unwrap();
        let authorization = headers.iter().find(|(name, _)| name == "authorization").unwrap();
        assert_eq!(
            authorization.1,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }
}
