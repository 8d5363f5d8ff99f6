//! Robust statistics of short samples.

/// The middle value; none of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies, interpolated between neighbours.
pub(super) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let place = share.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let (low, high) = (sorted.get(below)?, sorted.get(above)?);
    Some(low + (high - low) * place.fract())
}

/// The range of the middle half.
pub(super) fn interquartile_range(values: &[f64]) -> f64 {
    let (low, high) = (quantile(values, 0.25), quantile(values, 0.75));
    low.zip(high).map_or(0.0, |(low, high)| high - low)
}

/// The standard deviation of the noise on a series, from the median step between neighbours: a level
/// that changes once or twice does not count as noise.
pub(super) fn noise(values: &[f64]) -> f64 {
    // Of normal noise: the median of |x| is 0.6745 sigma, a difference has the square root of 2 of it.
    const OF_MEDIAN_STEP: f64 = 1.4826 * std::f64::consts::FRAC_1_SQRT_2;
    let steps: Vec<f64> = values
        .windows(2)
        .filter_map(|pair| Some((pair.get(1)? - pair.first()?).abs()))
        .collect();
    median(&steps).map_or(0.0, |step| step * OF_MEDIAN_STEP)
}

/// A spread that was measured on few values, drawn towards what is expected of its like.
///
/// The expectation counts as much as `EXPECTED` values do, so that it decides for a handful of values
/// (whose spread is an accident, zero not rarely) and is forgotten for hundreds.
pub(super) fn moderated(measured: f64, values: usize, expected: f64) -> f64 {
    const EXPECTED: f64 = 5.0;
    let count = values as f64;
    ((count * measured * measured + EXPECTED * expected * expected) / (count + EXPECTED)).sqrt()
}
