// Runs a planned program on memory: picks the instruction set, hands chunks to threads, adds up their partial sums.
#pragma once

#include "plan.h"

namespace masksub {

// `inputs` and `outputs`: the arrays in the plan's order, of the counts that CountOf gives; an output may be the same
// memory as one of its forwardable inputs. `constants`: of the attribute; scalar inputs are appended here.
void RunPlan(const Plan& plan, const std::vector<const void*>& inputs, const std::vector<void*>& outputs,
             const std::vector<float>& constants);

}  // namespace masksub
