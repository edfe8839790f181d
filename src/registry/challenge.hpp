#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sbx::registry {

/// One challenge of a WWW-Authenticate header (RFC 9110 11.6.1).
struct Challenge {
  std::string scheme;  // lower case: "bearer", "basic"
  std::string realm;
  std::string service;
  std::string scope;
};

/// All challenges of one header, in order; what is not well-formed ends the list, so that nothing is guessed. At most
/// 8 KiB, 8 challenges, 16 parameters each. Parameters other than these three are skipped.
std::vector<Challenge> parse_challenges(std::string_view header);

/// The challenge to answer: the first Bearer with a realm, else the first Basic; nullptr if there is neither.
const Challenge* choose_challenge(std::span<const Challenge> challenges);

}  // namespace sbx::registry
