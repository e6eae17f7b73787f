// Kernels' transforms by Winograd's algorithm, for 16 channels and 16 filters at a time. Included by the files that compile the
// kernels for one kind of CPU.
#ifndef FOVEA_WINOGRAD_SQUARES_H
#define FOVEA_WINOGRAD_SQUARES_H
#include "square_kernels.h"
#include "winograd_transforms.h"

enum { largest_kernel = winograd_largest_window * winograd_largest_window };

// Kernels are read in short runs that lie far apart, which hardware does not foresee.
enum { channels_ahead = 12 };

// A square of a kernel [window, window, channels, filters], or with `is_transposed` of one [window, window, filters, channels]; places
// are a `stride` apart, and channels a group of filters.
INLINE void transform_square(const winograd_form *f, const int is_transposed, const float *kernel, int64_t channel, int64_t filter,
                             float *places, int64_t stride, const int window) {
    floats columns[largest_kernel][winograd_lanes];
    for (int place = 0; is_transposed && place < window * window; place++) {
        const float *from = kernel + (place * f->filters + filter) * f->channels + channel;
        UNROLLED for (int k = 0; k < winograd_lanes; k++) columns[place][k] = load_floats(from + k * f->channels);
        transpose(columns[place]);
    }
    int64_t last_fetched = f->channels - 1 - channel;
    for (int c = 0; c < winograd_lanes; c++) {
        floats numbers[winograd_largest_window][winograd_largest_window];
        const float *from = kernel + (channel + c) * f->filters + filter;
        int64_t ahead = (c + channels_ahead < last_fetched ? channels_ahead : last_fetched - c) * f->filters;
        UNROLLED for (int place = 0; place < window * window; place++) {
            const float *run = from + place * f->channels * f->filters;
            if (!is_transposed) __builtin_prefetch(run + ahead);
            numbers[place / window][place % window] = is_transposed ? columns[place][c] : load_floats(run);
        }
        transform_kernel((const floats(*)[winograd_largest_window])numbers, places + c * f->group, stride, window);
    }
}

#endif
