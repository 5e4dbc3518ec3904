//! A price list of a large region is never held in memory.

use std::io::Read;

use nightcap_pricing::live::aws::bulk::{self, Filter};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// So many products are in the list, and twice as many terms: about 130 MB.
const PRODUCTS: usize = 100_000;

/// Makes the list while it is read.
struct Generated {
    next: usize,
    piece: Vec<u8>,
    at: usize,
    read: usize,
}

impl Generated {
    fn piece(&self) -> Option<String> {
        let product = |n: usize| {
            let system = if n.is_multiple_of(100) { "Linux" } else { "Windows" };
            format!(
                r#"{}"SKU{n}": {{"sku": "SKU{n}", "productFamily": "Compute Instance", "attributes": {{"regionCode": "us-east-1",
                "instanceType": "m5.{n}", "operatingSystem": "{system}", "preInstalledSw": "NA", "capacitystatus": "Used",
                "marketoption": "OnDemand", "tenancy": "Shared", "usagetype": "BoxUsage:m5.{n}", "processorFeatures":
                "Intel AVX; Intel AVX2; Intel AVX512; Intel Turbo", "networkPerformance": "Up to 10 Gigabit"}}}}"#,
                if n == 0 { r#"{"formatVersion": "v1.0", "products": {"# } else { "," }
            )
        };
        let term = |n: usize| {
            let code = format!("SKU{n}.JRTCKXETXF");
            format!(
                r#"{}"SKU{n}": {{"{code}": {{"offerTermCode": "JRTCKXETXF", "sku": "SKU{n}", "effectiveDate": "2026-07-01T00:00:00Z",
                "priceDimensions": {{"{code}.6YS6EN2CT7": {{"unit": "Hrs", "description": "$0.096 per On Demand Linux m5.{n} Instance Hour",
                "beginRange": "0", "endRange": "Inf", "rateCode": "{code}.6YS6EN2CT7", "pricePerUnit": {{"USD": "0.0960000000"}}, "appliesTo": []}}}}}}}}"#,
                if n == 0 { r#"}, "terms": {"OnDemand": {"# } else { "," }
            )
        };
        match self.next {
            n if n < PRODUCTS => Some(product(n)),
            n if n < 2 * PRODUCTS => Some(term(n - PRODUCTS)),
            n if n == 2 * PRODUCTS => Some(r#"}, "Reserved": {"#.to_owned()),
            _ => None,
        }
    }
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.piece.len() {
            let Some(piece) = self.piece() else { return Ok(0) };
            self.next += 1;
            self.piece = piece.into_bytes();
            self.at = 0;
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        self.read += count;
        Ok(count)
    }
}

#[test]
fn a_hundred_thousand_products_take_a_few_megabytes() {
    let mut input = Generated { next: 0, piece: Vec::new(), at: 0, read: 0 };
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage_as_mb();
    let parsed = bulk::read(std::io::BufReader::new(&mut input), &Filter::default(), "2026-08-01").unwrap();
    let peak = ALLOCATED.peak_usage_as_mb() - before;
    assert_eq!((parsed.quotes.len(), parsed.rejected.len()), (PRODUCTS / 100, 0));
    assert!(input.read > 80_000_000, "the list was only {} bytes", input.read);
    assert!(peak < 8.0, "{peak} MB at the peak, for a list of {} bytes", input.read);
}
