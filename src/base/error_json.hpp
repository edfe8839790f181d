#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx {

/// An Error for another process of ours, which prints it as its own: all fields, the code by its word.
Json error_to_json(const Error& error);
/// The reverse, strict. kCorrupt if it is none.
Result<Error> error_from_json(const Json& object);

}  // namespace sbx
