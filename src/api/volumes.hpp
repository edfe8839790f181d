#pragma once

#include <sbx/volume.hpp>

#include "base/result.hpp"

namespace sbx::api {

/// prune_volumes() with an absolute root, for those who remove more than volumes.
Result<PrunedVolumes> prune_volumes_in(const std::string& data_root, bool all,
                                       const std::vector<std::string>& filters);

}  // namespace sbx::api
