#pragma once

#include <string>

#include "base/result.hpp"
#include "layer/image_tree.hpp"
#include "runtime/account.hpp"
#include "runtime/image_defaults.hpp"
#include "runtime/run_request.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// Whether `text` names a SIF or squashfs file: "sif:FILE", "sqsh:FILE", or a path that ends in .sif, .sqsh or .squashfs.
[[nodiscard]] bool is_squash_source(const std::string& text);

/// Whether it is named as a SIF, whose entry point is a shell that runs whatever command there is.
[[nodiscard]] bool is_sif_name(const std::string& text);

/// A squashfs that is served where it lies. The accounts are the files' texts as they were when the tree was made.
struct OpenedSquash {
  ImageDefaults defaults;
  AccountFiles accounts;
  layer::ImageTree tree;
  sys::Fd file;
};

/// Opens the file that `request.image` names, and its tree in the store, which sbx-transfer makes at the first use and after each
/// change of the file.
Result<OpenedSquash> open_squash(const RunRequest& request, const std::string& data_root);

}  // namespace sbx::runtime
