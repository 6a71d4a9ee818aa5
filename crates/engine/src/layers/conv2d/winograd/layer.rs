//! The forward and backward pass of a convolution by minimal filtering.

use super::transform::{Gather, Scatter, Then};
use super::{Winograd, WinogradCache};
use crate::aligned::AlignedVec;
use crate::layers::conv2d::{reduce_partials, split, splits};
use crate::layers::parameter::{GradMode, Parameter};
use crate::layers::{BackwardArgs, Context, Layer};
use crate::parallel::{DisjointSlice, for_each};

impl Layer for Winograd {
    type Cache = WinogradCache;

    fn outputs(&self) -> usize {
        self.plan.geometry.outputs()
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        self.relu
    }

    fn alloc_cache(&self, capacity: usize, backward: bool) -> WinogradCache {
        let plan = &self.plan;
        let kept = if backward { capacity.div_ceil(plan.chunk).min(plan.span) } else { 0 };
        let chunks = kept.max(splits(capacity));
        let [inputs, outputs] = plan.spectra();
        let [filters, exchanged] = [0, 1].map(|i| plan.filters[i].len());
        let backward = |len: usize| AlignedVec::zeros(if backward { len } else { 0 });
        WinogradCache {
            input_spectra: AlignedVec::zeros(chunks * inputs),
            output_spectra: AlignedVec::zeros(chunks * outputs),
            filter_spectra: AlignedVec::zeros(filters),
            padded_grads: backward(kept * plan.padded_grad.image),
            bias_grads: backward(kept * plan.geometry.filters),
            exchanged_spectra: backward(exchanged),
            spectrum_grads: backward(filters),
            exchanged: backward(self.parameters[0].value.len()),
            weight_grads: backward(plan.gradient_room()),
        }
    }

    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut WinogradCache) {
        let WinogradCache { input_spectra: v, output_spectra: m, filter_spectra: filters, .. } = cache;
        let (this, relu) = (&self.plan, self.relu);
        let [weight, bias] = &self.parameters;
        this.transform_filters(context, &weight.value, 0, filters);
        let (inputs, outputs) = (this.geometry.inputs(), this.geometry.outputs());
        let (splits, sizes) = (splits(context.batch), this.spectra());
        let (spectra, y) = ([v, m].map(|part| DisjointSlice::new(part)), DisjointSlice::new(y));
        for_each(splits, |g| {
            // SAFETY: each group belongs to one task.
            #[expect(unsafe_code, reason = "tasks write disjoint spectra")]
            let [v, m] = [0, 1].map(|i| unsafe { spectra[i].slice_mut(g * sizes[i], sizes[i]) });
            let split = split(g, splits, context.batch);
            for first in split.clone().step_by(this.chunk) {
                let count = this.chunk.min(split.end - first);
                this.transform_inputs(context, &x[first * inputs..][..count * inputs], v);
                this.filters[0].multiply(context, count * this.tiles, v, filters, m);
                // SAFETY: each image is in one group.
                #[expect(unsafe_code, reason = "tasks write disjoint images")]
                let y = unsafe { y.slice_mut(first * outputs, count * outputs) };
                for (i, image) in y.chunks_exact_mut(outputs).enumerate() {
                    let work = Scatter {
                        places: std::slice::from_ref(&this.outputs),
                        spectrum: m,
                        rows: this.output_rows(i),
                        channels: this.geometry.filters,
                        image,
                        then: Then::Epilogue { bias: &bias.value, relu },
                    };
                    (this.scheme.output)(context.isa, work);
                }
            }
        });
    }

    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut WinogradCache,
        grad_mode: GradMode,
    ) {
        let WinogradCache {
            input_spectra: v,
            output_spectra: m,
            padded_grads,
            bias_grads: bias_sums,
            exchanged_spectra: filters,
            spectrum_grads: sums,
            exchanged,
            weight_grads,
            filter_spectra: _,
        } = cache;
        let BackwardArgs { x, y, dy, dx } = args;
        let wants_dx = dx.is_some();
        let wanted = !matches!(grad_mode, GradMode::Skip);
        let (this, relu) = (&self.plan, self.relu);
        if wants_dx {
            this.exchange(&self.parameters[0].value, exchanged);
            this.transform_filters(context, exchanged, 1, filters);
        }
        let (inputs, outputs) = (this.geometry.inputs(), this.geometry.outputs());
        let [v_size, m_size] = this.spectra();
        let planes = this.scheme.points().pow(2);
        let sizes = [v_size, m_size, this.padded_grad.image, this.geometry.filters];
        let dx = DisjointSlice::new(dx.unwrap_or_default());
        bias_sums.fill(0.0);
        let chunks = context.batch.div_ceil(this.chunk);
        let spans = chunks.div_ceil(this.span);
        let images = |chunk: usize| chunk * this.chunk..context.batch.min((chunk + 1) * this.chunk);
        for span in (0..spans).map(|number| split(number, spans, chunks)) {
            let parts =
                [&mut *v, &mut *m, &mut *padded_grads, &mut *bias_sums].map(|part| DisjointSlice::new(part));
            for_each(span.len(), |slot| {
                // SAFETY: each chunk belongs to one task.
                #[expect(unsafe_code, reason = "tasks write disjoint chunks")]
                let [v, m, padded_grad, bias_sums] =
                    std::array::from_fn(|i| unsafe { parts[i].slice_mut(slot * sizes[i], sizes[i]) });
                let images = images(span.start + slot);
                for (i, image) in images.clone().enumerate() {
                    let range = image * outputs..(image + 1) * outputs;
                    let y = relu.then_some(&y[range.clone()]);
                    this.padded_grad.pad(context.isa, &this.geometry, &dy[range], y, padded_grad, bias_sums);
                    let work = Gather {
                        places: std::slice::from_ref(&this.outputs),
                        image: padded_grad,
                        channels: this.geometry.filters,
                        rows: this.output_rows(i),
                        spectrum: m,
                    };
                    (this.scheme.output_gradient)(context.isa, work);
                }
                let rows = images.len() * this.tiles;
                this.filters[0].pair(context, rows, this.filters[0].to(), m);
                if wants_dx {
                    this.filters[1].multiply(context, rows, m, filters, v);
                    // SAFETY: each image is in one chunk.
                    #[expect(unsafe_code, reason = "tasks write disjoint images")]
                    let dx = unsafe { dx.slice_mut(images.start * inputs, images.len() * inputs) };
                    this.input_gradients(context.isa, v, dx);
                }
                if wanted {
                    this.transform_inputs(context, &x[images.start * inputs..images.end * inputs], v);
                }
            });
            if wanted {
                let size = sums.len() / planes;
                let shared = DisjointSlice::new(sums);
                for_each(planes, |plane| {
                    // SAFETY: each plane belongs to one task.
                    #[expect(unsafe_code, reason = "tasks add up disjoint planes")]
                    let sums = unsafe { shared.slice_mut(plane * size, size) };
                    let mut first = span.start;
                    while first < span.end {
                        // One product takes chunks of equally many rows; only the last chunk can have fewer.
                        let rows = images(first).len() * this.tiles;
                        let alike =
                            (first..span.end).filter(|&chunk| images(chunk).len() * this.tiles == rows);
                        let together = &this.together[..alike.count().min(this.together.len())];
                        let spectra = [(&*v, v_size), (&*m, m_size)].map(|(numbers, size)| {
                            &numbers[(first - span.start) * size + plane * (size / planes)..]
                        });
                        this.filters[0].gradient(context, (rows, together), spectra, sums, first > 0);
                        first += together.len();
                    }
                });
            }
        }
        if wanted {
            let [weight, bias] = &mut self.parameters;
            let (weight, bias) =
                (weight.grad_sink(context.isa, grad_mode), bias.grad_sink(context.isa, grad_mode));
            self.plan.pass_on_weight_gradient(context.isa, sums, weight_grads, &weight);
            // SAFETY: each stretch is passed on once.
            #[expect(unsafe_code, reason = "tasks pass on disjoint stretches")]
            let take = |start: usize, total: &[f32]| unsafe { bias.take(start, total) };
            let filters = self.plan.geometry.filters;
            reduce_partials(bias_sums, chunks.div_ceil(spans), filters, take);
        }
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }
}
