#include "fovea_elementwise.h"
#include "fovea_onednn.h"
