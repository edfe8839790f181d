#include "api/failure.hpp"

#include "runtime/run.hpp"

namespace sbx::api {

Failure to_failure(const Error& error) {
  Failure failure;
  failure.message = error.message();
  failure.exit_code = runtime::exit_code_of(error);
  return failure;
}

}  // namespace sbx::api
