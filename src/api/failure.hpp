#pragma once

#include <sbx/outcome.hpp>

#include "base/result.hpp"

namespace sbx::api {

/// An Error in words, with the exit code that docker gives for it.
Failure to_failure(const Error& error);

template <class T>
Outcome<T> to_outcome(Result<T> result) {
  if (!result) {
    return to_failure(result.error());
  }
  return std::move(result).value();
}

}  // namespace sbx::api
