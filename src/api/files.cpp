#include <sbx/files.hpp>

#include "api/failure.hpp"
#include "runtime/file_copy.hpp"
#include "runtime/settings.hpp"

namespace sbx {
namespace {

Result<std::monostate> copy(const CopyOptions& options,
                            Result<void> (*run)(const runtime::FileCopy&)) {
  runtime::FileCopy copy;
  copy.data_root = SBX_TRY(runtime::data_root_of(options.root));
  copy.container = options.container;
  copy.inside = options.inside;
  copy.outside = options.outside;
  copy.follow = options.follow;
  copy.owners = options.archive;
  SBX_TRY(run(copy));
  return std::monostate();
}

}  // namespace

Outcome<std::monostate> copy_in(const CopyOptions& options) {
  return api::to_outcome(copy(options, runtime::copy_in));
}

Outcome<std::monostate> copy_out(const CopyOptions& options) {
  return api::to_outcome(copy(options, runtime::copy_out));
}

}  // namespace sbx
