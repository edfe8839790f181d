#pragma once

#include <string>

namespace sbx {

/// "0.1.0"
std::string version();

}  // namespace sbx
