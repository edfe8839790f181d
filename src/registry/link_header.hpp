#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sbx::registry {

/// The target of the link whose relation is "next" (RFC 8288), as distribution 1.1 pages its lists. At most 8 KiB and
/// 16 links; what is malformed ends the search.
std::optional<std::string> next_link(std::string_view header);

}  // namespace sbx::registry
