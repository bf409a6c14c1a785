// The op MaskSubFused: a program of elementwise ops and reductions over tiles that stay in the cache.
#pragma once

namespace masksub {

// Makes the op and its CPU kernel known to TensorFlow; further calls do nothing. Throws std::runtime_error with
// TensorFlow's own words. The library that holds this code must never be unloaded (link it with -z nodelete).
void RegisterFused();

}  // namespace masksub
