#include <sbx/version.hpp>

namespace sbx {

std::string version() { return SBX_VERSION; }

}  // namespace sbx
