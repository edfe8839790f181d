#pragma once

#include <string>

#include "layer/limits.hpp"
#include "oci/digest.hpp"
#include "oci/platform.hpp"
#include "store/store.hpp"

namespace sbx::image {

/// An image file that will be run where it lies.
struct SquashFile {
  int fd = -1;       // open for reading; not owned
  std::string path;  // absolute: for errors, and to notice later that the file is gone
};

/// Makes the tree of a SIF or squashfs in our store, and notes it there (store/squashed.hpp) with what the image says about how to
/// run it: files of apptainer or enroot in it, or the OCI configuration in a SIF. `wanted`: a SIF that is for another processor is
/// kUnsupported. kCorrupt, kLimit, kUnsupported; kBusy if the file changed meanwhile.
Result<oci::ChainId> adopt_squash(const store::Store& own, const SquashFile& file,
                                  const oci::Platform& wanted,
                                  const layer::TreeLimits& limits = {});

}  // namespace sbx::image
