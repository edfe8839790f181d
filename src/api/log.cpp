#include <array>
#include <utility>

#include <sbx/log.hpp>

#include "base/log.hpp"

namespace sbx {

bool set_log_level(std::string_view level) {
  using log::Level;
  constexpr std::array<std::pair<std::string_view, Level>, 6> kLevels{{{"trace", Level::kTrace},
                                                                       {"debug", Level::kDebug},
                                                                       {"info", Level::kInfo},
                                                                       {"warn", Level::kWarn},
                                                                       {"error", Level::kError},
                                                                       {"off", Level::kOff}}};
  for (const auto& [name, value] : kLevels) {
    if (name == level) {
      log::set_level(value);
      return true;
    }
  }
  return false;
}

}  // namespace sbx
