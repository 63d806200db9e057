"""The titles that statements give to their sections, in the languages of the sources."""

from __future__ import annotations

DESCRIPTION, INPUT, OUTPUT, CONSTRAINTS, NOTES = "description", "input_spec", "output_spec", "constraints", "notes"
TEXT_SECTIONS = (DESCRIPTION, INPUT, OUTPUT, CONSTRAINTS, NOTES)
SAMPLE, SAMPLE_INPUT, SAMPLE_OUTPUT, EXPLANATION = "sample", "sample_input", "sample_output", "explanation"
SAMPLE_KINDS = (SAMPLE, SAMPLE_INPUT, SAMPLE_OUTPUT, EXPLANATION)
INTERACTION = "interaction"
DROPPED = "dropped"
"""Where a statement names its source, or repeats what the record holds in columns."""

_TITLES = {
    DESCRIPTION: """description, problem description, problem statement, statement, problem, legend, 问题描述,
        题目描述, 题目背景, 问题背景, 故事背景, 背景, 题面, 题意, 任务, 编程任务, 任务描述, 题意描述, 题目叙述, 描述,
        题目内容, 题目""",
    INPUT: """input, inputs, input format, input specification, input description, input data, input file, 输入,
        输入格式, 输入文件, 输入数据, 输入描述, 输入说明, 数据输入, 输入要求, indata, indlæsning, eingabe, entrada""",
    OUTPUT: """output, outputs, output format, output specification, output description, output data, output file,
        输出, 输出格式, 输出文件, 输出数据, 输出描述, 输出说明, 数据输出, 结果输出, 输出要求, utdata, udskrift,
        utskrift, ausgabe, salida""",
    CONSTRAINTS: """constraints, constraint, limits, limitations, scoring, points, subtasks, subtask, 数据范围,
        数据规模, 数据约定, 数据说明, 数据限制, 数据范围提示, 数据规模约定, 数据规模范围, 数据范围约定,
        数据范围规模, 数据规模说明, 数据范围说明, 数据规模提示, 数据规模限制, 数据范围限制, 数据约束, 约束条件,
        约定, 限制, 限制约定, 限制条件, 输入限制, 规模, 范围, 子任务, 评分方式, 评分标准, 评分方法, poängsättning,
        begränsningar, gränser""",
    NOTES: """note, notes, hint, hints, remark, remarks, follow-up, follow up, clarification, clarifications,
        notice, important note, custom judge, 注意事项, 提示, 注释, 注意, 备注, 提醒, 温馨提示""",
    SAMPLE: """sample, samples, example, examples, sample test, sample tests, sample case, 样例, 输入输出样例,
        例子, 示例, 样例数据, 样例输入输出, 样例输入样例输出, 输入输出示例,
        输入输出文件样例, 输入文件示例输出文件示例, exempel""",
    SAMPLE_INPUT: """sample input, sample inputs, example input, input sample, input example, 样例输入, 输入样例,
        输入示例, 示例输入, 输入文件示例, 样例输入数据, 输入样例数据""",
    SAMPLE_OUTPUT: """sample output, sample outputs, example output, output sample, output example, 样例输出,
        输出样例, 输出示例, 示例输出, 输出文件示例, 样例输出数据, 输出样例数据""",
    EXPLANATION: """explanation, explanations, explaination, sample explanation, explanation of sample,
        explanation of samples,
        explanation of the sample, explanation of the samples, 样例说明, 样例解释, 输入解释, 输出解释, 对样例解释,
        输入输出样例说明, 输入输出样例解释, 样例数据说明, 样例数据解释, 说明, 解释, exempelfall,
        förklaring av exempelfall,
        förklaring av exempel""",
    INTERACTION: """interaction, interaction protocol, interaktion, 交互, 交互方式, 交互格式, 实现细节""",
    DROPPED: """source, tags, time limit, memory limit, 来源, 题目来源, 试题来源, 下载, 版权""",
}

KIND_BY_TITLE = {title.strip(): kind for kind, titles in _TITLES.items() for title in titles.split(",")}
"""Section by title in lower case, without numbers and connectives."""
