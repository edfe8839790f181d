#include "api/failure.hpp"

namespace sbx::api {

Failure to_failure(const Error& error) {
  Failure failure;
  failure.message = error.message();
  if (error.code == ErrorCode::kCommandNotFound) {
    failure.exit_code = 127;
  } else if (error.code == ErrorCode::kCommandNotRunnable) {
    failure.exit_code = 126;
  }
  return failure;
}

}  // namespace sbx::api
