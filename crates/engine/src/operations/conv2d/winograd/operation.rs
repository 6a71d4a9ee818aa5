//! The passes of a convolution by minimal filtering.

use super::Winograd;
use super::transform::{Gather, Scatter, Then};
use crate::memory::Buffer;
use crate::operations::conv2d::{add_groups, group, groups};
use crate::operations::parameter::{Parameter, Receive};
use crate::operations::{Flow, Memory, Operation, Pass};
use crate::parallel::{Shared, for_each};

impl Operation for Winograd {
    fn outputs(&self) -> usize {
        self.plan.geometry.outputs()
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        self.relu
    }

    fn memory(&self, capacity: usize, backward: bool) -> Memory {
        let plan = &self.plan;
        let kept = if backward { capacity.div_ceil(plan.chunk).min(plan.span) } else { 0 };
        let chunks = kept.max(groups(capacity));
        let [inputs, outputs] = plan.spectra();
        let [filters, exchanged] = [0, 1].map(|i| plan.filters[i].len());
        let backward = |len: usize| Buffer::zeros(if backward { len } else { 0 });
        let floats = vec![
            Buffer::zeros(chunks * inputs),
            Buffer::zeros(chunks * outputs),
            Buffer::zeros(filters),
            backward(kept * plan.frame.image),
            backward(kept * plan.geometry.filters),
            backward(exchanged),
            backward(filters),
            backward(self.parameters[0].value.len()),
            backward(plan.gradient_room()),
        ];
        Memory { floats, indices: Vec::new() }
    }

    fn forward(&mut self, pass: &Pass, x: &[f32], y: &mut [f32], memory: &mut Memory) {
        let [v, m, filters, ..] = &mut memory.floats[..] else { unreachable!("made by `memory`") };
        let (this, relu) = (&self.plan, self.relu);
        let [weight, bias] = &self.parameters;
        this.transform_filters(pass.path, &weight.value, 0, filters);
        let (inputs, outputs) = (this.geometry.inputs(), this.geometry.outputs());
        let (groups, sizes) = (groups(pass.batch), this.spectra());
        let (spectra, y) = ([v, m].map(|part| Shared::new(part)), Shared::new(y));
        for_each(groups, |g| {
            // SAFETY: each group is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint spectra")]
            let [v, m] = [0, 1].map(|i| unsafe { spectra[i].part(g * sizes[i], sizes[i]) });
            let group = group(g, groups, pass.batch);
            for first in group.clone().step_by(this.chunk) {
                let count = this.chunk.min(group.end - first);
                this.transform_inputs(pass.path, &x[first * inputs..][..count * inputs], v);
                this.filters[0].multiply(pass.path, count * this.tiles, v, filters, m);
                // SAFETY: each image is in one group.
                #[expect(unsafe_code, reason = "tasks write disjoint images")]
                let y = unsafe { y.part(first * outputs, count * outputs) };
                for (i, image) in y.chunks_exact_mut(outputs).enumerate() {
                    let work = Scatter {
                        places: std::slice::from_ref(&this.outputs),
                        spectrum: m,
                        rows: this.output_rows(i),
                        channels: this.geometry.filters,
                        image,
                        then: Then::Finish { bias: &bias.value, relu },
                    };
                    (this.scheme.output)(pass.path, work);
                }
            }
        });
    }

    fn backward(&mut self, pass: &Pass, flow: Flow, memory: &mut Memory, receive: Receive) {
        let [v, m, _, frames, bias_sums, filters, sums, exchanged, room] = &mut memory.floats[..] else {
            unreachable!("made by `memory`")
        };
        let Flow { x, y, dy, dx } = flow;
        let wants_dx = dx.is_some();
        let wanted = !matches!(receive, Receive::Discard);
        let (this, relu) = (&self.plan, self.relu);
        if wants_dx {
            this.exchange(&self.parameters[0].value, exchanged);
            this.transform_filters(pass.path, exchanged, 1, filters);
        }
        let (inputs, outputs) = (this.geometry.inputs(), this.geometry.outputs());
        let [v_size, m_size] = this.spectra();
        let planes = this.scheme.points().pow(2);
        let sizes = [v_size, m_size, this.frame.image, this.geometry.filters];
        let dx = Shared::new(dx.unwrap_or_default());
        bias_sums.fill(0.0);
        let chunks = pass.batch.div_ceil(this.chunk);
        let spans = chunks.div_ceil(this.span);
        let images = |chunk: usize| chunk * this.chunk..pass.batch.min((chunk + 1) * this.chunk);
        for span in (0..spans).map(|number| group(number, spans, chunks)) {
            let parts = [&mut *v, &mut *m, &mut *frames, &mut *bias_sums].map(|part| Shared::new(part));
            for_each(span.len(), |slot| {
                // SAFETY: each chunk is one task's.
                #[expect(unsafe_code, reason = "tasks write disjoint chunks")]
                let [v, m, frame, bias_sums] =
                    std::array::from_fn(|i| unsafe { parts[i].part(slot * sizes[i], sizes[i]) });
                let images = images(span.start + slot);
                for (i, image) in images.clone().enumerate() {
                    let range = image * outputs..(image + 1) * outputs;
                    let y = relu.then_some(&y[range.clone()]);
                    this.frame.surround(pass.path, &this.geometry, &dy[range], y, frame, bias_sums);
                    let work = Gather {
                        places: std::slice::from_ref(&this.outputs),
                        image: frame,
                        channels: this.geometry.filters,
                        rows: this.output_rows(i),
                        spectrum: m,
                    };
                    (this.scheme.output_gradient)(pass.path, work);
                }
                if wants_dx {
                    this.filters[1].multiply(pass.path, images.len() * this.tiles, m, filters, v);
                    // SAFETY: each image is in one chunk.
                    #[expect(unsafe_code, reason = "tasks write disjoint images")]
                    let dx = unsafe { dx.part(images.start * inputs, images.len() * inputs) };
                    this.input_gradients(pass.path, v, dx);
                }
                if wanted {
                    this.transform_inputs(pass.path, &x[images.start * inputs..images.end * inputs], v);
                }
            });
            if wanted {
                let size = sums.len() / planes;
                let shared = Shared::new(sums);
                for_each(planes, |plane| {
                    // SAFETY: each plane is one task's.
                    #[expect(unsafe_code, reason = "tasks add up disjoint planes")]
                    let sums = unsafe { shared.part(plane * size, size) };
                    let mut first = span.start;
                    while first < span.end {
                        // Chunks of as many rows: of all chunks the last alone may have fewer.
                        let rows = images(first).len() * this.tiles;
                        let alike =
                            (first..span.end).filter(|&chunk| images(chunk).len() * this.tiles == rows);
                        let together = &this.together[..alike.count().min(this.together.len())];
                        let spectra = [(&*v, v_size), (&*m, m_size)].map(|(numbers, size)| {
                            &numbers[(first - span.start) * size + plane * (size / planes)..]
                        });
                        this.filters[0].gradient(pass.path, (rows, together), spectra, sums, first > 0);
                        first += together.len();
                    }
                });
            }
        }
        if wanted {
            let [weight, bias] = &mut self.parameters;
            let (weight, bias) = (weight.receiver(pass.path, receive), bias.receiver(pass.path, receive));
            self.plan.hand_in(pass.path, sums, room, &weight);
            // SAFETY: each stretch is handed in once.
            #[expect(unsafe_code, reason = "tasks hand in disjoint stretches")]
            let take = |start: usize, total: &[f32]| unsafe { bias.take(start, total) };
            let filters = self.plan.geometry.filters;
            add_groups(bias_sums, chunks.div_ceil(spans), filters, take);
        }
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }
}
