#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "layer/image_tree.hpp"
#include "runtime/image_defaults.hpp"
#include "runtime/run_request.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

struct OpenedImage {
  ImageDefaults defaults;
  std::string id;  // digest of its manifest
  layer::ImageTree tree;
  std::vector<sys::Fd> layers;
};

/// The image of the store that `request.image` names; what names an archive or layout of this machine
/// (oci:, oci-archive:, docker-archive:) is loaded first, by sbx-transfer.
Result<OpenedImage> open_image(const RunRequest& request, const std::string& data_root);

}  // namespace sbx::runtime
