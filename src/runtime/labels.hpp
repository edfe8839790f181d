#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "runtime/run_request.hpp"

namespace sbx::runtime {

/// The labels of a container, as docker puts them together: the image's, --label-file, --label; NAME alone has no value.
/// kInvalidArgument for one without a name; kLimit for more than 256 KiB of the user's.
Result<std::map<std::string, std::string>> build_labels(
    const RunRequest& request, const std::map<std::string, std::string>& image);

}  // namespace sbx::runtime
