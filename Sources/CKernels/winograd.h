// How Winograd's algorithm goes through a convolution: what its parts share.
#ifndef FOVEA_WINOGRAD_FORM_H
#define FOVEA_WINOGRAD_FORM_H
#include <stdint.h>

enum {
    winograd_pixels = 6,                                  // that a tile's results see, along an axis
    winograd_places = winograd_pixels * winograd_pixels,  // of a transformed tile
    winograd_lanes = 16,                                  // channels in a block
    // Along an axis: the most results of a tile, for the smallest window, and the largest window.
    winograd_most_results = 4,
    winograd_largest_window = 5,
};

// Tiles are counted row by row, image by image. They are worked on in strips that stay in the second-level cache: transformed, a strip
// is [places, channels / 16, strip, 16], and so are the products, [places, group / 16, strip, 16], for one group of filters after
// the other. Places are a `stride` apart.
typedef struct {
    int64_t height, width, channels, filters;
    int64_t padding[2];
    int64_t output_height, output_width;
    int64_t window, results;  // along an axis; the results are those of a tile
    int64_t tile_rows, tile_columns, tiles;  // of an image, of all
    int64_t strip;
    int64_t group;  // filters whose products are summed together
    int64_t piece;  // channels of a large kernel for which these filters are transformed at once
    int64_t source_stride, product_stride, piece_stride;
    int32_t relu;
    float ceiling;
    int32_t pools, rectifies;
} winograd_form;

#endif
