#pragma once

#include <string>
#include <string_view>

namespace sbx::runtime {

/// How many names an id stands for; with 8,000 of them and digits behind, nobody's containers have all of these.
inline constexpr unsigned kMadeUpNames = 32;

/// As docker names containers that nobody named: "keen_noether", the same for the same id. `attempt` counts those that were taken
/// already, from 0 on; all but the first have a digit behind.
std::string made_up_name(std::string_view id, unsigned attempt);

}  // namespace sbx::runtime
