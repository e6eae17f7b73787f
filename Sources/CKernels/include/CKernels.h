#include "fovea_bfloat16.h"
#include "fovea_elementwise.h"
#include "fovea_max_pool.h"
#include "fovea_onednn.h"
