#pragma once

#include <string>
#include <utility>
#include <variant>

namespace sbx {

/// What went wrong, in words for the user, and the exit code that tells it: 125 if sbx itself failed, 126 if the
/// command cannot be executed, 127 if it was not found (as docker).
struct Failure {
  int exit_code = 125;
  std::string message;  // several lines; no program name in front, no newline at the end
};

/// A value or a Failure.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  Outcome(Failure failure)
      : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT: implicit on purpose

  explicit operator bool() const { return state_.index() == 0; }
  [[nodiscard]] T& value() { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const { return std::get<0>(state_); }
  [[nodiscard]] const Failure& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

}  // namespace sbx
